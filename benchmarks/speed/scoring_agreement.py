"""Numerical error of the engine against independent float64 computations."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import torch

from benchmarks.measures import apart
from benchmarks.speed.gguf_in_torch import load
from ghostbuster.features.align import align
from ghostbuster.features.evaluate import evaluate_all
from ghostbuster.features.expression import Feature
from ghostbuster.models.llama.language_model import LlamaLM
from ghostbuster.models.panel import open_panel

N_TEXTS = 8
N_CHARACTERS = 1300
Table = dict[str, Any]


def agreement(source: Path) -> Table:
    """Channels, zero-shot statistics and perplexity of the embedded panel on passages of a file."""
    panel = open_panel()
    whole = " ".join(source.read_text("utf-8").split())
    texts = [whole[i * N_CHARACTERS : (i + 1) * N_CHARACTERS] for i in range(N_TEXTS)]
    tokens = panel.weak.weights.tokenise(texts)
    models = {"weak": panel.weak, "strong": panel.strong}
    logp = {name: exact(model, tokens.ids, tokens.offsets) for name, model in models.items()}
    wanted = {
        "weak": channels(logp["weak"], logp["strong"], tokens.ids),
        "strong": channels(logp["strong"], logp["weak"], tokens.ids),
    }
    got = panel.score(texts)
    by_channel = {
        f"{model}.{name}": differences(got[model].channels[name], values)
        for model, table in wanted.items()
        for name, values in table.items()
    }
    return {
        "n_tokens": int(tokens.ids.size),
        "channels": by_channel,
        "zero_shot": zero_shot(texts, got, logp, tokens.ids, tokens.offsets),
        "perplexity": {name: perplexity(model, whole) for name, model in models.items()},
    }


@torch.inference_mode()
def exact(model: LlamaLM, ids: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Log-probs (n_tokens, n_vocabulary) of the file's weights computed in float64 by transformers."""
    network = load(model.file.path, torch.float64)
    rows = []
    for a, b in itertools.pairwise(offsets):
        inputs = torch.tensor([[model.file.begin, *ids[a : b - 1].tolist()]])
        rows.append(network(inputs, use_cache=False).logits[0].log_softmax(-1).numpy())
    return np.concatenate(rows)


def channels(logp: np.ndarray, other: np.ndarray, ids: np.ndarray) -> dict[str, np.ndarray]:
    """By their definitions; ``other`` is the reference's log-probs."""
    p, r = np.exp(logp), np.exp(other)
    chosen = logp[np.arange(ids.size), ids]
    entropy, cross = -(p * logp).sum(axis=1), -(r * logp).sum(axis=1)
    return {
        "logprob": chosen,
        "rank": 1 + (logp > chosen[:, None]).sum(axis=1),
        "entropy": entropy,
        "varentropy": (p * (logp + entropy[:, None]) ** 2).sum(axis=1),
        "cross_entropy": cross,
        "cross_varentropy": (r * (logp + cross[:, None]) ** 2).sum(axis=1),
    }


def differences(got: np.ndarray, want: np.ndarray) -> dict[str, float]:
    """Largest and mean, and the share of equal values (ranks)."""
    return apart(got, want) | {"equal": float((got == want).mean())}


def zero_shot(texts: list[str], got: Any, logp: Any, ids: np.ndarray, offsets: np.ndarray) -> Table:
    """Fast-DetectGPT's and Binoculars' formulas on float64 log-probs, against the package's features."""
    pairs = {
        "stat-fast-detectgpt strong": ("strong", "strong"),
        "stat-fast-detectgpt strong weak": ("strong", "weak"),
        "stat-binoculars strong weak": ("strong", "weak"),
    }
    matrix = evaluate_all(tuple(Feature.parse(name) for name in pairs), align(got, texts, "token"))
    found = {}
    for column, (name, (scorer, reference)) in enumerate(pairs.items()):
        of = fast_detectgpt if "fast" in name else binoculars
        want = [of(logp[scorer][a:b], logp[reference][a:b], ids[a:b]) for a, b in itertools.pairwise(offsets)]
        off = np.abs(matrix[:, column] - want)
        found[name] = {"largest": float(off.max()), "values": [float(min(want)), float(max(want))]}
    return found


def fast_detectgpt(scorer: np.ndarray, reference: np.ndarray, ids: np.ndarray) -> float:
    """Equation 4 of arXiv:2310.05130 with the expectations of its appendix, summed over tokens."""
    r = np.exp(reference)
    mean = (r * scorer).sum(axis=1)
    variance = (r * scorer**2).sum(axis=1) - mean**2
    return float((scorer[np.arange(ids.size), ids].sum() - mean.sum()) / np.sqrt(variance.sum()))


def binoculars(scorer: np.ndarray, reference: np.ndarray, ids: np.ndarray) -> float:
    """Equation 4 of arXiv:2401.12070: log-perplexity over the cross-perplexity of observer and performer."""
    log_perplexity = -scorer[np.arange(ids.size), ids].mean()
    return float(log_perplexity / -(np.exp(reference) * scorer).sum(axis=1).mean())


def perplexity(model: LlamaLM, text: str) -> dict[str, float]:
    """As llama.cpp's perplexity tool: chunks of one context, begin token first, the second half counts."""
    n = model.n_context
    high = llama_cpp.Llama(
        str(model.file.path), n_ctx=n, n_batch=n, n_ubatch=n, logits_all=True, verbose=False
    )
    ids = model.weights.tokenise([text]).ids
    losses, ours = [], []
    for start in range(0, ids.size - n, n):
        chunk = ids[start : start + n]
        high.reset()
        high.eval([model.file.begin, *chunk[1:].tolist()])
        for j in range(n // 2, n - 1):
            row = high.scores[j]
            top = row.max()
            losses.append(float(top + np.log(np.exp(row - top).sum(dtype=np.float64)) - row[chunk[j + 1]]))
        scored = one_window(model, chunk[1:])
        ours.extend(-scored[n // 2 :].astype(np.float64))
    return {
        "llama_cpp": float(np.exp(np.mean(losses))),
        "engine": float(np.exp(np.mean(ours))),
        "largest_on_a_token": float(np.abs(np.array(losses) - ours).max()),
    }


def one_window(model: LlamaLM, ids: np.ndarray) -> np.ndarray:
    """Log-probs of given tokens, at most a context."""
    from ghostbuster.models.llama.language_model import score_together
    from ghostbuster.models.llama.tokens import Tokens

    tokens = Tokens(ids, np.zeros(ids.size, np.int32), np.array([0, ids.size]))
    return score_together([model], tokens)[0].channels["logprob"]
