"""Time, memory and accuracy of the feature search against the published procedure: writes docs/search.md.

    python -m benchmarks.search.search [--parts PART ...] [--data FOLDER] [--texts 200] [--out docs]

Without a folder of labelled texts the vectors are made up: log-probs with neighbours that resemble each
other, a little higher in half of the texts. Both searches get the same vectors and the same 2,534 candidates
of the space ``ghostbuster``, and run to their end. Times are CPU seconds of one thread, to which other
programs add nothing. The large search is one of 20,000 candidates of 5,000 texts of 400 tokens, in a process
of its own whose wall-clock time and peak memory are measured. Writes data/search.json and search.md; parts
that are not measured again keep their figures.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from joblib import parallel_config
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from benchmarks.results import data_of, write_page
from benchmarks.search import plain_search
from benchmarks.search.search_report import report
from benchmarks.search.stability import stability
from ghostbuster.arrays import Vectors
from ghostbuster.features.evaluate import evaluate_all
from ghostbuster.features.search.estimator import FeatureSearch
from ghostbuster.features.spaces import candidates
from ghostbuster.features.surface import SURFACE
from training.data.score_cache import DEFAULT_FOLDER as DEFAULT_CACHE

LARGE = (5_000, 400, "wide")  # texts, mean tokens of a text, space
BY_TEXTS = ((500, 5_000), (1_000, 5_000), (2_000, 5_000), (4_000, 5_000))
BY_CANDIDATES = ((1_000, 2_500), (1_000, 5_000), (1_000, 10_000), (1_000, 20_000))
STABLE = (1_500, 20, 30)  # labelled texts, features, resamples
QUOTIENTS = 1e8  # a mean of 10,000 tokens below this holds no quotient that was cut off at 1e12
PARTS = ("plain", "scaling", "large", "stability")
STEPS = 20  # features chosen in the scaling tables
LIBRARIES = ("numpy", "scipy", "scikit-learn", "joblib")


def made_up_vectors(n_texts: int, seed: int = 0, mean_length: int = 400) -> tuple[Vectors, np.ndarray]:
    """Vectors of every channel, and labels."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(mean_length // 2, 3 * mean_length // 2, n_texts)
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    y = rng.permutation(np.arange(n_texts) % 2)
    level = np.repeat(rng.normal(0, 0.25, n_texts) - 0.2 * y, lengths)
    noise = rng.gamma(1.2, 1.0, offsets[-1])
    surprise = (0.7 * noise + 0.3 * np.roll(noise, 1)) * np.exp(level)
    channels = {f"surface.{name}": rng.gamma(2.0, 2.0, surprise.size) for name in SURFACE}
    for source, factor in (("strong", 2.0), ("weak", 2.4), ("trigram", 3.0), ("unigram", 4.0)):
        own = factor * (0.6 * surprise + 0.4 * rng.gamma(1.2, 1.0, surprise.size))
        channels[f"{source}.logprob"], channels[f"{source}.prob"] = -own, np.exp(-own)
        if factor < 3:
            rank = np.ceil(np.exp(own * rng.uniform(0.3, 1.0, own.size)))
            channels[f"{source}.rank"], channels[f"{source}.logrank"] = rank, np.log(rank)
            for name in ("entropy", "varentropy", "cross_entropy", "cross_varentropy"):
                channels[f"{source}.{name}"] = 0.5 * own + rng.gamma(2.0, 0.8, own.size)
    return Vectors({k: v.astype(np.float32) for k, v in channels.items()}, offsets), y


@dataclass(frozen=True)
class Texts:
    """Vectors, labels, groups and sources of some texts."""

    vectors: Vectors
    y: np.ndarray
    groups: np.ndarray
    sources: np.ndarray


def labelled_texts(data: Path, cache: Path, n_texts: int, seed: int = 0) -> Texts:
    """Labelled texts under the embedded models, as many human as machine ones, of all sources."""
    from ghostbuster.models.panel import open_panel
    from training.data.dataset import Plan, learnable, load
    from training.data.material import read_material

    material = read_material(learnable(load(data, Plan())), open_panel(), cache)
    rng = np.random.default_rng(seed)
    some = [rng.permutation(np.flatnonzero(material.y == label))[: n_texts // 2] for label in (0, 1)]
    chosen = rng.permutation(np.concatenate(some))
    return Texts(
        material.reading.vectors.take(chosen),
        material.y[chosen],
        material.groups[chosen],
        material.sources[chosen],
    )


def seconds_of(work: Callable[[], Any], clock: Callable[[], float] = time.process_time) -> tuple[float, Any]:
    """Time and result; by default CPU time, to which other programs add nothing."""
    start = clock()
    made = work()
    return clock() - start, made


def cross_validated(X: np.ndarray, y: np.ndarray) -> float:
    """Mean accuracy of plain logistic regression (C = 1) on scaled columns over 10 fixed folds."""
    model = make_pipeline(StandardScaler(), LogisticRegression(C=1, max_iter=2000))
    folds = StratifiedKFold(10, shuffle=True, random_state=1)
    return float(np.mean(cross_val_score(model, X, y, cv=folds)))


def apart(X: np.ndarray, plain_X: np.ndarray) -> float:
    """Largest relative difference of values below `QUOTIENTS`: ours are held at 1e12 inside vectors."""
    small = np.abs(plain_X) < QUOTIENTS
    return float(np.max(np.abs(X - plain_X)[small] / np.maximum(np.abs(plain_X[small]), 1e-3)))


def against_plain(vectors: Vectors, y: np.ndarray, n_texts: int) -> dict[str, Any]:
    """Both searches to their end on the first ``n_texts``; accuracy on those and on the others."""
    train, test = np.arange(n_texts), np.arange(n_texts, y.size)
    features = candidates("ghostbuster", vectors.channels)
    mine, others = vectors.take(train), vectors.take(test)
    found: dict[str, Any] = {"texts": n_texts, "unseen": int(test.size), "candidates": len(features)}
    chosen: dict[str, list[int]] = {}
    evaluating, X = seconds_of(lambda: evaluate_all(features, mine))
    for name, settings in {
        "ours": {"criterion": "accuracy", "C": 10.0},
        "ours by log-loss, its default": {},
    }.items():
        search = FeatureSearch(max_features=100, max_memory=2**30, **settings)
        searching, _ = seconds_of(lambda search=search: search.fit_matrix(X, features, y[train]))
        place = {feature: i for i, feature in enumerate(features)}
        chosen[name] = [place[feature] for feature in search.features_]
        found[name] = {"evaluate": evaluating, "search": searching}
    evaluating, plain_X = seconds_of(lambda: plain_search.evaluate(features, mine))
    worst = apart(X, plain_X)
    searching, chosen["plain"] = seconds_of(lambda: plain_search.search(plain_X, y[train]))
    found["plain"] = {"evaluate": evaluating, "search": searching}
    found["largest_difference"] = worst  # of a feature's value, relative
    unseen = evaluate_all(features, others)
    for name, columns in chosen.items():
        model = make_pipeline(StandardScaler(), LogisticRegression(C=1, max_iter=2000))
        model.fit(X[:, columns], y[train])
        found[name] |= {
            "features": len(columns),
            "cross_validated": cross_validated(X[:, columns], y[train]),
            "on_unseen": float(model.score(unseen[:, columns], y[test])),
        }
    return found


def scaling(sizes: tuple[tuple[int, int], ...], varied: int) -> dict[str, Any]:
    """Seconds by size, and the exponents of powers fitted to them."""
    rows = []
    for n_texts, n_candidates in sizes:
        vectors, y = made_up_vectors(n_texts)
        features = candidates("deep", vectors.channels)[:n_candidates]
        evaluating, X = seconds_of(lambda f=features, v=vectors: evaluate_all(f, v, dtype=np.float32))
        search = FeatureSearch(max_features=STEPS)
        searching, _ = seconds_of(lambda s=search, X=X, f=features, y=y: s.fit_matrix(X, f, y))
        rows.append(
            {"texts": n_texts, "candidates": len(features), "evaluate": evaluating, "search": searching}
        )
        print(f"  {rows[-1]}", flush=True)
    size = np.log([row[varied] for row in sizes])
    slopes = {
        step: float(np.polyfit(size, np.log([row[step] for row in rows]), 1)[0])
        for step in ("evaluate", "search")
    }
    return {"rows": rows, "exponents": slopes}


def large(max_memory: int, n_jobs: int) -> dict[str, Any]:
    """The large search from vectors to 100 features, in this process: seconds and peak memory."""
    n_texts, n_tokens, space = LARGE
    making, (vectors, y) = seconds_of(lambda: made_up_vectors(n_texts, mean_length=n_tokens))
    search = FeatureSearch(space, max_memory=max_memory)
    with parallel_config(n_jobs=n_jobs):
        seconds, _ = seconds_of(lambda: search.fit(vectors, y), time.perf_counter)
    return {
        "texts": n_texts,
        "tokens": int(vectors.offsets[-1]),
        "candidates": len(candidates(space, vectors.channels)),
        "features": len(search.features_),
        "chosen": hashlib.sha256("\n".join(map(str, search.features_)).encode()).hexdigest()[:16],
        "threads": n_jobs,
        "max_memory": max_memory,
        "making_vectors": making,
        "seconds": seconds,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,  # Linux counts in KiB
    }


def large_alone(max_memory: int, n_jobs: int) -> dict[str, Any]:
    """``large`` in a process of its own, so that its peak memory is nobody else's."""
    code = "import json; from benchmarks.search.search import large; "
    code += f"print(json.dumps(large({max_memory}, {n_jobs})))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def steadiness(texts: Texts) -> dict[str, Any]:
    """How often features are chosen when the texts are drawn again: of the default space, across sources."""
    _, n_features, n_resamples = STABLE
    search = FeatureSearch(max_features=n_features, select_across="source")
    search.fit(texts.vectors, texts.y, texts.groups, sources=texts.sources)
    X = evaluate_all(search.shortlist_, texts.vectors, dtype=np.float32)
    seconds, found = seconds_of(
        lambda: stability(search, X, texts.y, texts.groups, sources=texts.sources, n_resamples=n_resamples)
    )
    place = {feature: i for i, feature in enumerate(search.features_, 1)}
    rows = [
        {"feature": str(one.feature), "share": one.share, "alike": one.alike, "place": place.get(one.feature)}
        for one in found
    ]
    return {
        "texts": int(texts.y.size),
        "features": len(search.features_),
        "shortlist": len(search.shortlist_),
        "resamples": n_resamples,
        "seconds": seconds,
        "rows": rows,
    }


def machine() -> dict[str, Any]:
    """What the times hang on."""
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in LIBRARIES},
    }


def one_draw(options: argparse.Namespace, seed: int) -> dict[str, Any]:
    """Both searches on texts drawn with ``seed``."""
    whole = options.texts + options.unseen
    if options.data is None:
        vectors, y = made_up_vectors(whole, seed)
    else:
        texts = labelled_texts(options.data, options.cache, whole, seed)
        vectors, y = texts.vectors, texts.y
    found = against_plain(vectors, y, options.texts)
    print(f"  {found}", file=sys.stderr, flush=True)
    return found


def mean_of(draws: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Mean of every figure over draws; the largest of largest differences."""
    made: dict[str, Any] = {}
    for name, first in draws[0].items():
        values = [draw[name] for draw in draws]
        if isinstance(first, dict):
            made[name] = {key: float(np.mean([value[key] for value in values])) for key in first}
        else:
            made[name] = max(values)
    return made


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """The parts that were asked for."""
    found: dict[str, Any] = {}
    with threadpool_limits(1, user_api="blas"):
        if "plain" in options.parts:
            draws = [one_draw(options, seed) for seed in range(options.draws)]
            found["plain"] = {"labelled": options.data is not None, "draws": draws} | mean_of(draws)
            if options.data is not None:
                from ghostbuster.models.panel import open_panel  # its weight is none of the large search's

                found["plain"]["models"] = open_panel().describe()
        if "scaling" in options.parts:
            found["by_texts"] = scaling(BY_TEXTS, varied=0)
            found["by_candidates"] = scaling(BY_CANDIDATES, varied=1)
        if "stability" in options.parts and options.data is not None:
            found["stability"] = steadiness(labelled_texts(options.data, options.cache, STABLE[0]))
    if "large" in options.parts:
        found["large"] = [large_alone(size, options.threads) for size in options.max_memory]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", nargs="+", default=PARTS, choices=PARTS, help="the others are kept")
    parser.add_argument("--data", type=Path, help="folder of *.jsonl.xz; made-up vectors without it")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="where token scores are kept")
    parser.add_argument("--texts", type=int, default=200, help="texts both searches learn from")
    parser.add_argument("--unseen", type=int, default=2000, help="further texts to compare accuracy on")
    parser.add_argument("--draws", type=int, default=5, help="of such texts; means over them are given")
    parser.add_argument(
        "--max-memory", type=int, nargs="*", default=[2**31, 2**27], help="of the large search, bytes"
    )
    parser.add_argument("--threads", type=int, default=2, help="of the large search")
    parser.add_argument(
        "--out", type=Path, default=Path("docs"), help="folder of search.md and data/search.json"
    )
    options = parser.parse_args()
    kept = data_of(options.out, "search")
    found = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    found |= {"machine": machine(), **measured(options)}
    write_page(options.out, "search", found, report(found))
    print(report(found))


if __name__ == "__main__":
    main()
