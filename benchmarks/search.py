"""The feature search against a plain one, and its cost by number of texts and of candidates.

    python benchmarks/search.py [--table TEXTS.jsonl] [--texts 1000] [--full]

The plain search is Ghostbuster's procedure as published: columns z-scored over all texts, greedy forward
selection by the mean accuracy of scikit-learn's logistic regression (C = 10) over 5 folds that are drawn
again for every candidate, until a round does not improve. Both search the same 2,534 candidates on the same
vectors. Without ``--full`` the plain search is timed on a sample of the candidates of each round, with the
columns that ours had chosen by then, and the rest is extrapolated; the output says so. Accuracy is compared
on texts that neither search saw, both searches run to their end, on all candidates with ``--full`` and on a
random part of them without.

Without a table the vectors are made up: log-probs with neighbours that resemble each other, a little higher
in half of the texts. All times are wall-clock seconds on the machine at hand, with one BLAS thread.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from ghostbuster.features.align import align
from ghostbuster.features.expression import Feature, evaluate_all
from ghostbuster.features.search import FeatureSearch
from ghostbuster.features.space import candidates
from ghostbuster.scores import Vectors

MAX_FEATURES = 12  # where the published search stopped


def made_up_vectors(n_texts: int, seed: int = 0, mean_length: int = 400) -> tuple[Vectors, np.ndarray]:
    """Vectors of every channel, and labels."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(mean_length // 2, 3 * mean_length // 2, n_texts)
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    y = rng.permutation(np.arange(n_texts) % 2)
    level = np.repeat(rng.normal(0, 0.25, n_texts) - 0.2 * y, lengths)
    noise = rng.gamma(1.2, 1.0, offsets[-1])
    surprise = (0.7 * noise + 0.3 * np.roll(noise, 1)) * np.exp(level)
    channels = {}
    for source, factor in (("strong", 2.0), ("weak", 2.4), ("trigram", 3.0), ("unigram", 4.0)):
        own = (factor * (0.6 * surprise + 0.4 * rng.gamma(1.2, 1.0, surprise.size))).astype(np.float32)
        channels[f"{source}.logprob"], channels[f"{source}.prob"] = -own, np.exp(-own)
        if factor < 3:
            rank = np.ceil(np.exp(own * rng.uniform(0.3, 1.0, own.size)))
            channels[f"{source}.rank"], channels[f"{source}.logrank"] = rank, np.log(rank)
            for name in ("entropy", "varentropy", "cross_entropy", "cross_varentropy"):
                channels[f"{source}.{name}"] = 0.5 * own + rng.gamma(2.0, 0.8, own.size).astype(np.float32)
    return Vectors({k: v.astype(np.float32) for k, v in channels.items()}, offsets), y


def read_vectors(args: argparse.Namespace) -> tuple[Vectors, np.ndarray]:
    """Vectors and labels of as many human as machine texts of a table, under the embedded panel."""
    from ghostbuster.models.panel import open_panel
    from ghostbuster.text import prepare

    rows = [json.loads(line) for line in args.table.read_text(encoding="utf-8").splitlines()]
    rows = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]
    wanted = [[r for r in rows if int(r[args.label_column]) == label][: args.texts // 2] for label in (0, 1)]
    chosen = [row for of_label in wanted for row in of_label]
    texts = [prepare(row[args.text_column]).text for row in chosen]
    panel = open_panel("embedded")
    vectors = align(panel.score(texts), texts, by="token" if panel.shared_tokenizer else "word")
    return vectors, np.array([int(row[args.label_column]) for row in chosen])


def plain_round(
    X: np.ndarray, y: np.ndarray, chosen: list[int], tried: list[int], seed: int
) -> dict[int, float]:
    """Accuracy with each tried candidate, on folds of its own."""
    scores = {}
    for candidate in tried:
        folds = KFold(5, shuffle=True, random_state=np.random.RandomState(seed + candidate))
        model = LogisticRegression(C=10, max_iter=1000)
        scores[candidate] = float(np.mean(cross_val_score(model, X[:, [*chosen, candidate]], y, cv=folds)))
    return scores


def plain_search(X: np.ndarray, y: np.ndarray) -> list[int]:
    """Columns chosen by the plain procedure."""
    X = (X - X.mean(0)) / np.where(X.std(0) > 0, X.std(0), 1)
    chosen: list[int] = []
    best = 0.0
    while True:
        left = [i for i in range(X.shape[1]) if i not in chosen]
        scores = plain_round(X, y, chosen, left, seed=1000 * len(chosen))
        winner = max(scores, key=lambda i: scores[i])
        if scores[winner] <= best:
            return chosen
        best = scores[winner]
        chosen.append(winner)


def timed_plain_rounds(X: np.ndarray, y: np.ndarray, columns: list[int], n_sampled: int) -> float:
    """Seconds of as many rounds as there are columns, from a sample of the candidates of each."""
    X = (X - X.mean(0)) / np.where(X.std(0) > 0, X.std(0), 1)
    rng = np.random.default_rng(0)
    total = 0.0
    for done in range(len(columns)):
        left = [i for i in range(X.shape[1]) if i not in columns[:done]]
        sample = rng.choice(left, min(n_sampled, len(left)), replace=False).tolist()
        start = time.perf_counter()
        plain_round(X, y, columns[:done], sample, seed=0)
        total += (time.perf_counter() - start) * len(left) / len(sample)
    return total


def held_out_accuracy(X: np.ndarray, y: np.ndarray, test_X: np.ndarray, test_y: np.ndarray) -> float:
    """Accuracy of plain logistic regression on the chosen columns."""
    return float(
        make_pipeline(StandardScaler(), LogisticRegression(C=1, max_iter=1000))
        .fit(X, y)
        .score(test_X, test_y)
    )


def our_search(
    X: np.ndarray, features: tuple[Feature, ...], y: np.ndarray, n: int
) -> tuple[float, FeatureSearch]:
    """Seconds, and the fitted search by accuracy, the plain one's criterion."""
    start = time.perf_counter()
    search = FeatureSearch(max_features=n, criterion="accuracy", C=10).fit_matrix(X, features, y)
    return time.perf_counter() - start, search


def compare(vectors: Vectors, y: np.ndarray, n_sampled: int, *, full: bool) -> None:
    """Ours against the plain search, time and accuracy."""
    half = np.arange(y.size) % 2 == 0
    order = np.random.default_rng(0).permutation(y.size)
    train, test = order[half], order[~half]
    features = candidates("ghostbuster", vectors.channels)
    start = time.perf_counter()
    X = evaluate_all(features, vectors)
    print(
        f"\n{len(features):,} candidates x {y.size:,} texts evaluated in {time.perf_counter() - start:.1f} s"
    )
    seconds, ours = our_search(X[train], features, y[train], MAX_FEATURES)
    place = {feature: i for i, feature in enumerate(features)}
    columns = [place[feature] for feature in ours.features_]
    if full:
        start = time.perf_counter()
        rounds = len(plain_search(X[train], y[train])) + 1
        plain, how = time.perf_counter() - start, f"measured, {rounds} rounds"
    else:
        plain = timed_plain_rounds(X[train], y[train], columns, n_sampled)
        how = f"extrapolated from {n_sampled} candidates in each of {len(columns)} rounds"
    print(f"search on {train.size:,} texts: ours {seconds:.2f} s for {len(columns)} features")
    print(f"plain search: {plain:.0f} s ({how})")
    print(f"ratio {plain / seconds:.0f}")
    compare_accuracy(X, y, features, (train, test), None if full else n_sampled * MAX_FEATURES)


def compare_accuracy(
    X: np.ndarray,
    y: np.ndarray,
    features: tuple[Feature, ...],
    halves: tuple[np.ndarray, np.ndarray],
    n_candidates: int | None,
) -> None:
    """Accuracy on unseen texts of what each search chooses from the same candidates."""
    train, test = halves
    some = np.arange(len(features))
    if n_candidates is not None:
        some = np.sort(np.random.default_rng(1).choice(some, min(n_candidates, some.size), replace=False))
    named = tuple(features[i] for i in some)
    chosen = {"plain": [some[i] for i in plain_search(X[train][:, some], y[train])]}
    for name, criterion in (("ours by accuracy", "accuracy"), ("ours by log-loss", "log_loss")):
        search = FeatureSearch(max_features=100, criterion=criterion).fit_matrix(
            X[train][:, some], named, y[train]
        )
        chosen[name] = [some[named.index(feature)] for feature in search.features_]
    print(
        f"\n| search on {some.size:,} of the candidates | features | accuracy on {test.size:,} unseen texts |"
    )
    print("|---|---|---|")
    for name, columns in chosen.items():
        accuracy = held_out_accuracy(X[train][:, columns], y[train], X[test][:, columns], y[test])
        print(f"| {name} | {len(columns)} | {accuracy:.4f} |")


def scaling(max_texts: int) -> None:
    """Seconds by number of texts and of candidates, 20 features."""
    print("\n| texts | candidates | evaluate, s | search 20 features, s |\n|---|---|---|---|")
    sizes = [
        (max_texts // 4, 5000),
        (max_texts // 2, 5000),
        (max_texts, 5000),
        (max_texts, 10000),
        (max_texts, 20000),
    ]
    for n_texts, n_candidates in sizes:
        vectors, y = made_up_vectors(n_texts)
        features = candidates("wide", vectors.channels)[:n_candidates]
        start = time.perf_counter()
        X = evaluate_all(features, vectors, dtype=np.float32)
        evaluated = time.perf_counter()
        FeatureSearch(max_features=20).fit_matrix(X, features, y)
        done = time.perf_counter()
        print(
            f"| {n_texts:,} | {len(features):,} | {evaluated - start:.1f} | {done - evaluated:.1f} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--table", type=Path, help="JSONL of labelled texts; made-up vectors without it")
    parser.add_argument("--text-column", default="text")
    parser.add_argument("--label-column", default="label")
    parser.add_argument("--texts", type=int, default=1000)
    parser.add_argument(
        "--sample", type=int, default=20, help="candidates a round that time the plain search"
    )
    parser.add_argument("--full", action="store_true", help="run the plain search to its end")
    parser.add_argument("--scaling-texts", type=int, default=2000, help="0 leaves the scaling table out")
    args = parser.parse_args()
    vectors, y = read_vectors(args) if args.table else made_up_vectors(args.texts)
    with threadpool_limits(1, user_api="blas"):
        compare(vectors, y, args.sample, full=args.full)
    if args.scaling_texts:
        scaling(args.scaling_texts)


if __name__ == "__main__":
    main()
