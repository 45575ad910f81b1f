"""Read the labelled texts under every language model once, in pieces that an interruption does not lose.

    python -m training.data.read_corpus --strong SmolLM2-135M-Instruct.BF16.gguf --out FOLDER

Reading is the costly part of making a detector, so everything that a panel could want is kept: both embedded
models with their cross channels, the strong model, the n-grams, and hidden states of every layer. The texts
stand in an order that makes any beginning of it a balanced set: by rank within their class and file, whole
texts before passages. Started again, it goes on where it stopped. `Corpus` reads what is there.
"""

from __future__ import annotations

import argparse
import json
import lzma
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ghostbuster.arrays import TokenScores
from ghostbuster.errors import InputError
from ghostbuster.hidden_states import HiddenStates
from ghostbuster.models.gguf.check import check_model
from ghostbuster.models.llama.language_model import LlamaLM, score_together
from ghostbuster.models.llama.outputs import Outputs
from ghostbuster.models.ngram.model import NgramModel
from ghostbuster.models.panel import NGRAM_FOLDER, NGRAM_ORDERS
from ghostbuster.models.panels import PANELS, weights_folder
from ghostbuster.system.atomic_files import atomic_write
from training.data.crops import random_crops
from training.data.dataset import DEFAULT_FOLDER, Plan, drawing_order, learnable, load
from training.data.labelled import LabelledText

CHUNK = 200  # texts written at a time
EARLY, MIDDLE = 60, 150  # ranks within a class and file: first so many of each, then up to so many, then all
TEXTS = "texts.jsonl.xz"
STATE_FIELDS = ("layers", "means", "block_layers", "blocks", "counts", "ends", "offsets")

Scores = dict[str, TokenScores]


def queue(folder: Path, plan: Plan) -> list[LabelledText]:
    """All texts and a passage of each that may be learned from, in the order of reading."""
    texts = load(folder, plan)
    rank = drawing_order(texts, plan.seed)
    crops = random_crops(learnable(texts), plan.seed)
    placed = [(_stage(rank[text.key], text.is_crop), rank[text.key], text) for text in texts]
    for text in crops:
        of_text = rank[text.key.removesuffix("/crop")]
        placed.append((_stage(of_text, text.is_crop), of_text, text))
    placed.sort(key=lambda one: (one[0], one[1], one[2].file, one[2].label, one[2].key))
    return [text for _, _, text in placed]


def _stage(rank: int, is_crop: bool) -> int:
    """The first texts, more texts, passages of all these; then all other texts, and passages of them."""
    if rank < MIDDLE:
        return 2 if is_crop else int(rank >= EARLY)
    return 4 if is_crop else 3


class Readers:
    """The language models, each with all that its pass gives.

    Parameters
    ----------
    strong : Path
        GGUF of the strong model of another vocabulary than the embedded ones have.
    n_threads : int
    """

    def __init__(self, strong: Path, n_threads: int) -> None:
        folder = weights_folder()
        row = PANELS["embedded"]
        self._embedded = [
            LlamaLM(path, name, n_threads=n_threads, outputs=_everything(path))
            for name, path in (
                ("embedded-weak", folder / row.weak),
                ("embedded-strong", folder / row.strong),
            )
        ]
        self._strong = LlamaLM(strong, "strong", n_threads=n_threads, outputs=_everything(strong))
        self._ngrams = NgramModel.load(folder / NGRAM_FOLDER)

    def score(self, texts: Sequence[str]) -> Scores:
        """Scores of prepared texts by source."""
        tokens = self._embedded[0].weights.tokenise(texts)
        embedded = score_together(self._embedded, tokens)
        scores = {model.name: one for model, one in zip(self._embedded, embedded, strict=True)}
        for name, order in NGRAM_ORDERS.items():
            logprob = self._ngrams.logprob(tokens.ids, tokens.offsets, order=order)
            scores[name] = TokenScores({"logprob": logprob}, tokens.ends, tokens.offsets)
        return scores | {"strong": self._strong.score(texts)}

    def describe(self) -> dict[str, object]:
        """Facts about the models, for JSON."""
        return {
            model.name: model.describe() | {"fingerprint": model.fingerprint}
            for model in (*self._embedded, self._strong)
        }


def _everything(path: Path) -> Outputs:
    layers = tuple(range(check_model(path).n_layers))
    return Outputs(extra_channels=True, state_layers=layers, block_layers=layers)


def write_scores(path: Path, scores: Mapping[str, TokenScores]) -> None:
    """One chunk's scores, whole or not at all."""
    arrays: dict[str, np.ndarray] = {}
    for source, made in scores.items():
        arrays[f"{source}/ends"] = np.asarray(made.ends, dtype=np.int32)
        arrays[f"{source}/offsets"] = np.asarray(made.offsets, dtype=np.int64)
        for channel, values in made.channels.items():
            arrays[f"{source}/channel/{channel}"] = np.asarray(values, dtype=np.float32)
        if made.states is not None:
            for field in STATE_FIELDS:
                arrays[f"{source}/states/{field}"] = getattr(made.states, field)
    with atomic_write(path, InputError) as unfinished:
        np.savez(unfinished, **arrays)


def read_scores(path: Path, sources: Sequence[str], layers: Sequence[int] | None = None) -> Scores:
    """One chunk's scores of the chosen sources.

    Parameters
    ----------
    layers : sequence of int, optional
        The layers whose hidden states are wanted; all by default, none costs least.
    """
    with np.load(path, allow_pickle=False) as arrays:
        names = arrays.files
        scores = {}
        for source in sources:
            prefix = f"{source}/channel/"
            channels = {name.removeprefix(prefix): arrays[name] for name in names if name.startswith(prefix)}
            states = None
            if f"{source}/states/means" in names and (layers is None or layers):
                states = _states(
                    {field: arrays[f"{source}/states/{field}"] for field in STATE_FIELDS}, layers
                )
            ends, offsets = arrays[f"{source}/ends"], arrays[f"{source}/offsets"]
            scores[source] = TokenScores(channels, ends, offsets, states)
        return scores


def _states(fields: dict[str, np.ndarray], layers: Sequence[int] | None) -> HiddenStates:
    if layers is not None:
        for names in (("layers", "means"), ("block_layers", "blocks")):
            places = np.flatnonzero(np.isin(fields[names[0]], layers))
            fields[names[0]] = fields[names[0]][places]
            fields[names[1]] = fields[names[1]][:, places]
    return HiddenStates(**fields)


@dataclass(frozen=True)
class Corpus:
    """What was read so far of a folder that this script writes.

    Attributes
    ----------
    texts : list of LabelledText
        In the order of reading, those that were read.
    chunks : list of Path
    """

    texts: list[LabelledText]
    chunks: list[Path]

    @classmethod
    def open(cls, folder: Path) -> Corpus:
        """Look at what is there; a chunk that is still missing ends it."""
        with lzma.open(folder / TEXTS, "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        texts = [LabelledText(**{**row, "links": tuple(row["links"])}) for row in rows]
        chunks = [_chunk_path(folder, i) for i in range(-(-len(texts) // CHUNK))]
        n = next((i for i, path in enumerate(chunks) if not path.exists()), len(chunks))
        return cls(texts[: n * CHUNK], chunks[:n])

    def scores(self, sources: Sequence[str], layers: Sequence[int] | None = None) -> Scores:
        """Scores of ``texts`` under the chosen sources; see `read_scores`."""
        parts = [read_scores(path, sources, layers) for path in self.chunks]
        return {source: TokenScores.concatenate([part[source] for part in parts]) for source in sources}


def _chunk_path(folder: Path, number: int) -> Path:
    return folder / f"chunk-{number:04d}.npz"


def _write_texts(path: Path, texts: Sequence[LabelledText]) -> None:
    lines = "".join(json.dumps(asdict(text), ensure_ascii=False) + "\n" for text in texts)
    with atomic_write(path, InputError) as unfinished:
        unfinished.write_bytes(lzma.compress(lines.encode()))


def read_all(folder: Path, out: Path, readers: Readers, plan: Plan, log: Callable[[str], None]) -> None:
    """Read what is missing in ``out``, chunk by chunk."""
    if not (out / TEXTS).exists():
        _write_texts(out / TEXTS, queue(folder, plan))
        (out / "models.json").write_text(json.dumps(readers.describe(), indent=1) + "\n", "utf-8")
    with lzma.open(out / TEXTS, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    tokens, started = 0, time.monotonic()
    for number, start in enumerate(range(0, len(texts), CHUNK)):
        path = _chunk_path(out, number)
        if path.exists():
            continue
        scores = readers.score(texts[start : start + CHUNK])
        write_scores(path, scores)
        tokens += scores["strong"].ends.size
        rate = tokens / (time.monotonic() - started)
        log(
            f"{time.strftime('%H:%M:%S')} {path.name}: {start + CHUNK} of {len(texts)} texts, "
            f"{tokens} tokens, {rate:.0f} tokens/s"
        )


def main() -> None:
    """Read."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER, help="folder of *.jsonl.xz")
    parser.add_argument("--strong", type=Path, required=True, help="GGUF of the strong model")
    parser.add_argument("--out", type=Path, required=True, help="folder of the chunks")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    readers = Readers(options.strong, options.threads)
    read_all(
        options.data, options.out, readers, Plan(seed=options.seed), lambda line: print(line, flush=True)
    )


if __name__ == "__main__":
    main()
