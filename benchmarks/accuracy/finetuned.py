"""Train an adapter with four unlike sources left out at once, and read the texts that it is asked about.

    python -m benchmarks.accuracy.finetuned train --corpus FOLDER --base MODEL.gguf --work FOLDER
    python -m benchmarks.accuracy.finetuned export --corpus FOLDER --base MODEL.gguf --work FOLDER
    python -m benchmarks.accuracy.finetuned read --corpus FOLDER --work FOLDER
    python -m benchmarks.accuracy.finetuned agree --corpus FOLDER --base MODEL.gguf --work FOLDER

``train`` goes on where it was stopped; ``export`` writes the adapter, of a run that was stopped its best;
``read`` keeps what llama.cpp says under it; ``agree`` puts that beside PyTorch. Then
``benchmarks.accuracy.finetuned_figures`` compares.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ghostbuster.finetuning.crops import Crop, LabelledTokens
from ghostbuster.finetuning.export import write_adapter
from ghostbuster.finetuning.finetune import Finetuned, TextTable, finetune
from ghostbuster.finetuning.network import Network
from ghostbuster.finetuning.settings import Settings
from ghostbuster.finetuning.train import Check, Progress, read_means
from ghostbuster.heads.adapter_head import head_of
from ghostbuster.models.gguf.check import check_model
from ghostbuster.models.gguf.digest import file_digest
from ghostbuster.models.learned_texts import text_hashes
from ghostbuster.models.llama.runtime import Weights
from ghostbuster.models.open_adapter import open_adapter
from training.data.dataset import PROBES, STRESS
from training.data.labelled import LabelledText
from training.data.read_corpus import Corpus

LEFT_OUT = ("cogfp", "l2r", "outfox", "wetbench")
"""Posts and abstracts of 2025's models; nine registers, rewritten; odd essays; wiki and reviews, clean."""
WATCHED = ("lastde", "uppsala")
"""News, stories and answers; learners' essays: left out to know when to stop, and to weigh readers by."""
ADAPTER, CHECKPOINT, ODDS = "adapter.gguf", "checkpoint.pt", "odds.npz"
CHUNK = 100  # texts read at a time
N_AGREE = 64  # texts that PyTorch reads too


def whole_texts(texts: Sequence[LabelledText]) -> list[LabelledText]:
    """Whole texts that may be learned from or asked about."""
    return [text for text in texts if not text.is_crop and text.file not in STRESS | PROBES]


def learned_from(texts: Sequence[LabelledText]) -> list[LabelledText]:
    """Those that the adapter may learn from or watch; none in a group with a text left out."""
    barred = {text.group for text in texts if text.source in LEFT_OUT}
    return [text for text in whole_texts(texts) if text.source not in LEFT_OUT and text.group not in barred]


def settings_of(options: argparse.Namespace) -> Settings:
    return Settings(
        rank=options.rank,
        n_layers=options.n_layers,
        first_layer=options.first_layer,
        epochs=options.epochs,
        min_tokens=options.min_tokens,
        max_tokens=options.max_tokens,
        batch_tokens=options.batch_tokens,
        n_start=options.n_start,
        checks=options.checks,
    )


def train(options: argparse.Namespace) -> None:
    """Train, or go on."""
    texts = learned_from(Corpus.open(options.corpus).texts[: options.n_texts])
    table = TextTable(
        [text.text for text in texts],
        np.array([text.label for text in texts]),
        [text.source for text in texts],
        [str(text.group) for text in texts],
    )

    def report(now: Progress) -> None:
        if now.step % 5 == 0 or now.step == now.n_steps:
            print(
                f"{time.strftime('%H:%M:%S')} step {now.step} of {now.n_steps}, {now.tokens_a_second:.0f} "
                f"tokens/s, {time.process_time() / 60:.1f} CPU minutes, {now.checks[-1]}",
                flush=True,
            )

    checkpoint = options.work / CHECKPOINT
    finetune(
        table,
        options.base,
        settings_of(options),
        checkpoint,
        hold_out=WATCHED,
        device="cpu",
        report=report,
    )


def export(options: argparse.Namespace) -> None:
    """Write what the run has come to, finished or not, for the model whose form was trained."""
    settings, base = settings_of(options), check_model(options.base)
    network, state = trained(options, settings)
    checks = tuple(Check(**check) for check in state["checks"])
    long = long_enough(options)
    held = [text.source in WATCHED for text in long]
    hashes = text_hashes(text.text for text in long)
    counts = len(held) - sum(held), sum(held), 0
    digest = file_digest(options.model or options.base)
    made = Finetuned(base, digest, network, settings, checks, *counts, hashes)
    file = write_adapter(made, options.work / ADAPTER)
    for check in checks:
        print(check)
    print(f"{state['done']} steps, {file.n_bytes / 1e6:.2f} MB; {counts[0]} texts, {counts[1]} watched")


def trained(options: argparse.Namespace, settings: Settings) -> tuple[Network, dict[str, Any]]:
    """The network at its best check, or at its last step, and what else the checkpoint holds."""
    network = Network(check_model(options.base), settings, "cpu")
    state = torch.load(options.work / CHECKPOINT, weights_only=True)
    network.load_state(state["network" if options.last else "best"])
    return network, state


def agree(options: argparse.Namespace) -> None:
    """Print how far llama.cpp's log-odds are from the network's in PyTorch, in float32, on some texts."""
    settings = replace(settings_of(options), precision="f32")
    network, _ = trained(options, settings)
    known = kept_odds(options.work)
    texts = [one for one in Corpus.open(options.corpus).texts if one.key in known][:N_AGREE]
    base = check_model(options.base)
    weights = Weights(base, vocabulary_only=True)
    ids = [weights.tokenise([text.text]).ids for text in texts]
    y = np.array([text.label for text in texts])
    tokens = LabelledTokens(ids, y, np.array([text.source for text in texts]))
    crops = [Crop(i, 0, one.size) for i, one in enumerate(ids)]
    means = read_means(network, tokens, crops, base.begin, settings.batch_tokens)
    with torch.no_grad():
        expected = network.log_odds(torch.from_numpy(means)).numpy()
    found = np.array([known[text.key] for text in texts])
    off = np.abs(found - expected)
    spread = expected.std()
    print(
        f"{len(texts)} texts: log-odds {off.mean():.4f} apart in the mean, {off.max():.4f} at most; "
        f"their standard deviation is {spread:.2f}"
    )


def kept_odds(work: Path) -> dict[str, float]:
    """Log-odds under the adapter, by the texts' keys, as `read` kept them."""
    with np.load(work / ODDS) as kept:
        return dict(zip(kept["keys"].tolist(), kept["odds"].tolist(), strict=True))


def long_enough(options: argparse.Namespace) -> list[LabelledText]:
    """Texts that are learned from or watched; the corpus has counted their tokens."""
    corpus = Corpus.open(options.corpus)
    texts = corpus.texts[: options.n_texts]
    lengths: list[int] = []
    for path in corpus.chunks[: -(-len(texts) // 200)]:
        with np.load(path) as chunk:
            lengths += np.diff(chunk["strong/offsets"]).tolist()
    n_tokens = dict(zip((text.key for text in texts), lengths, strict=False))
    return [text for text in learned_from(texts) if n_tokens[text.key] >= options.min_tokens]


def read(options: argparse.Namespace) -> None:
    """Log-odds under the adapter of the texts left out and watched, by llama.cpp; it can be stopped."""
    n = options.n_asked or options.n_texts
    texts = [
        one for one in whole_texts(Corpus.open(options.corpus).texts[:n]) if one.source in LEFT_OUT + WATCHED
    ]
    path = options.work / ODDS
    adapter = open_adapter(options.work / ADAPTER)
    known: dict[str, float] = {}
    if path.exists():
        with np.load(path) as kept:
            if str(kept["adapter"]) == adapter.file.digest:
                known = dict(zip(kept["keys"].tolist(), kept["odds"].tolist(), strict=True))
    asked = [text for text in texts if text.key not in known]
    n_tokens, started = 0, time.process_time()
    for begin in range(0, len(asked), CHUNK):
        part = asked[begin : begin + CHUNK]
        tokens = adapter.weights.tokenise([text.text for text in part])
        odds = head_of(adapter).raw_score(adapter.score(tokens).states)
        known |= dict(zip((text.key for text in part), odds.tolist(), strict=True))
        np.savez(
            path, keys=np.array(list(known)), odds=np.array(list(known.values())), adapter=adapter.file.digest
        )
        n_tokens += tokens.ids.size
        seconds = time.process_time() - started
        print(
            f"{time.strftime('%H:%M:%S')} {len(known)} of {len(texts)} texts, {n_tokens} tokens, "
            f"{1000 * seconds / n_tokens:.2f} ms of CPU a token",
            flush=True,
        )
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB at most")


STEPS = {"train": train, "export": export, "read": read, "agree": agree}


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Options that say which texts, and which run."""
    parser.add_argument("--n-texts", type=int, default=6200, help="learned from the first so many")
    parser.add_argument("--n-asked", type=int, help="asked about the first so many; as many by default")
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--n-layers", type=int, default=20)
    parser.add_argument("--first-layer", type=int, default=8)
    parser.add_argument("--epochs", type=float, default=1.0)
    parser.add_argument("--min-tokens", type=int, default=64)
    parser.add_argument("--max-tokens", type=int, default=160)
    parser.add_argument("--batch-tokens", type=int, default=1536)
    parser.add_argument("--n-start", type=int, default=320)
    parser.add_argument("--checks", type=int, default=5)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("step", choices=STEPS)
    parser.add_argument("--corpus", type=Path, required=True, help="folder of training.data.read_corpus")
    parser.add_argument("--base", type=Path, help="GGUF of the base model")
    parser.add_argument("--model", type=Path, help="the model that BASE is a form of: the adapter's then")
    parser.add_argument("--work", type=Path, required=True, help="folder of checkpoint and adapter")
    parser.add_argument("--last", action="store_true", help="export the last step, not the best check")
    add_settings(parser)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    STEPS[options.step](options)


if __name__ == "__main__":
    main()
