"""A panel of weak models that score the same texts: two language models, a unigram and a trigram."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from threading import RLock

from ghostbuster.arrays import Progress, TokenScores
from ghostbuster.errors import ModelError, SettingError
from ghostbuster.models.backend.devices import Placement, placement
from ghostbuster.models.gguf.adapter import AdapterFile, check_adapter
from ghostbuster.models.gguf.check import check_model
from ghostbuster.models.llama.adapter import NAME as ADAPTER
from ghostbuster.models.llama.adapter import AdapterLM
from ghostbuster.models.llama.language_model import MAX_CONTEXT, LlamaLM, score_together, with_trained_path
from ghostbuster.models.llama.load import cards
from ghostbuster.models.llama.outputs import NOTHING_MORE, Outputs
from ghostbuster.models.llama.runtime import Weights
from ghostbuster.models.llama.tokens import Tokens
from ghostbuster.models.ngram.model import NgramModel
from ghostbuster.models.ngram.store import folder_digest, ngram_files
from ghostbuster.models.open_panels import OpenPanels
from ghostbuster.models.panels import PANELS, absolute, panel_files, weights_folder
from ghostbuster.models.prepared.prepare import form_wish, serve
from ghostbuster.models.sandbox.cpu_path import CpuPath
from ghostbuster.models.sandbox.load_check import check_loads
from ghostbuster.registry import lookup

BINDING = "llama-cpp-python"
"""The library of the language models, as ``Panel.versions`` calls it."""
NGRAM_ORDERS = {"unigram": 1, "trigram": 3}
NGRAM_FOLDER = "embedded-ngram"


class Panel:
    """Two language models in the roles weak and strong, and n-grams over the embedded vocabulary.

    Parameters
    ----------
    weak, strong : LlamaLM
        With one vocabulary they read together and gain cross channels.
    ngrams : NgramModel
    folder : Path
        Where the n-grams are from; its files go into their fingerprints.
    vocabulary : Weights
        The vocabulary of the n-grams.
    adapter : AdapterLM, optional
        One of the two language models, changed: a further source.

    Attributes
    ----------
    sources : tuple of str
    fingerprints : mapping of str to str
        By source, the digest of everything that moves its scores.
    tokenizers : mapping of str to str
        By source, the digest of its vocabulary.
    shared_tokenizer : bool
        Whether all sources have the same tokens.

    Raises
    ------
    ModelError
        When the n-grams were counted over another vocabulary.
    """

    def __init__(
        self,
        weak: LlamaLM,
        strong: LlamaLM,
        ngrams: NgramModel,
        folder: Path,
        vocabulary: Weights,
        adapter: AdapterLM | None = None,
    ) -> None:
        if ngrams.tokenizer != vocabulary.file.tokenizer:
            raise ModelError(
                f"{folder}: counted over another vocabulary than {vocabulary.file.path} has; "
                f"expected equal digests: get both again"
            )
        self.weak, self.strong, self.adapter = weak, strong, adapter
        more = {} if adapter is None else {ADAPTER: adapter}
        self.sources: tuple[str, ...] = ("weak", "strong", *NGRAM_ORDERS, *more)
        self._ngrams, self._folder, self._vocabulary = ngrams, folder, vocabulary
        self._lock = RLock()
        self._ngram_digest = digest = folder_digest(folder)
        models = {"weak": weak, "strong": strong}
        same = dict.fromkeys(NGRAM_ORDERS, vocabulary.file.tokenizer)
        made = {name: hashlib.sha256(f"{digest} {name}".encode()).hexdigest() for name in NGRAM_ORDERS}
        own = {name: one.fingerprint for name, one in models.items()} | made
        self.fingerprints: Mapping[str, str] = own | {name: one.fingerprint for name, one in more.items()}
        own = {name: one.tokenizer for name, one in models.items()} | same
        self.tokenizers: Mapping[str, str] = own | {name: one.tokenizer for name, one in more.items()}
        self.shared_tokenizer = len(set(self.tokenizers.values())) == 1

    def score(self, texts: Sequence[str], progress: Progress | None = None) -> dict[str, TokenScores]:
        """Score prepared texts under every source, in the order given.

        Parameters
        ----------
        texts : sequence of str, length n_texts
            A text with no token owns an empty slice.
        progress : callable, optional
            Called with scored and all tokens of the language models.

        Returns
        -------
        dict of str to TokenScores
            By source.

        Raises
        ------
        ModelError
            When a vocabulary cannot spell a text, or a model gives no finite numbers.
        """
        with self._lock:
            adapter = self.adapter
            if adapter is None:
                scores, known = self._score_language_models(texts, progress)
                return scores | self._score_ngrams(texts, known)
            tokens = adapter.weights.tokenise(texts)
            n, report = tokens.ids.size, progress or (lambda _done, _all: None)
            scores, known = self._score_language_models(texts, lambda done, others: report(done, others + n))
            others = sum(scores[name].ends.size for name in self.read_apart if name in scores)
            adapted = adapter.score(tokens, lambda done, _: report(others + done, others + n))
            return scores | self._score_ngrams(texts, known) | {ADAPTER: adapted}

    def _score_language_models(
        self, texts: Sequence[str], progress: Progress | None
    ) -> tuple[dict[str, TokenScores], dict[str, Tokens]]:
        """Scores by role, and the tokens of each vocabulary by its digest."""
        weak, strong = self.weak, self.strong
        tokens = {weak.tokenizer: weak.weights.tokenise(texts)}
        if weak.tokenizer == strong.tokenizer:
            both = score_together([weak, strong], tokens[weak.tokenizer], progress)
            return dict(zip(("weak", "strong"), both, strict=True)), tokens
        tokens[strong.tokenizer] = strong.weights.tokenise(texts)
        n_weak, n_strong = (tokens[model.tokenizer].ids.size for model in (weak, strong))
        report = progress or (lambda _done, _all: None)
        n = n_weak + n_strong
        first = score_together([weak], tokens[weak.tokenizer], lambda done, _: report(done, n))
        second = score_together([strong], tokens[strong.tokenizer], lambda done, _: report(n_weak + done, n))
        return {"weak": first[0], "strong": second[0]}, tokens

    def _score_ngrams(self, texts: Sequence[str], known: Mapping[str, Tokens]) -> dict[str, TokenScores]:
        """Scores of the n-grams; texts are tokenised again only for another vocabulary."""
        tokens = known.get(self._ngrams.tokenizer) or self._vocabulary.tokenise(texts)
        return {
            name: TokenScores(
                {"logprob": self._ngrams.logprob(tokens.ids, tokens.offsets, order=order)},
                tokens.ends,
                tokens.offsets,
            )
            for name, order in NGRAM_ORDERS.items()
        }

    @property
    def read_apart(self) -> tuple[str, ...]:
        """Sources whose tokens count as progress: models of one vocabulary are read together."""
        both = ("strong",) if self.weak.tokenizer == self.strong.tokenizer else ("weak", "strong")
        return both if self.adapter is None else (*both, ADAPTER)

    @property
    def device(self) -> str:
        """Devices of the language models: ``CPU``, or names of GPUs, joined by ``+``."""
        return "+".join(dict.fromkeys(f"{self.strong.device}+{self.weak.device}".split("+")))

    @property
    def versions(self) -> Mapping[str, str]:
        """Of the library that computes the language models."""
        return {BINDING: version(BINDING)}

    @property
    def other_paths(self) -> Mapping[str, tuple[CpuPath, str]]:
        """By language model, its other CPU path and the fingerprint it would have on that."""
        return {"weak": self.weak.other_path, "strong": self.strong.other_path}

    def describe(self) -> list[dict[str, object]]:
        """Facts about each source, for JSON."""
        ngrams: dict[str, object] = {
            "file": self._folder.name,
            "digest": self._ngram_digest,
            "size_bytes": sum(path.stat().st_size for path in ngram_files(self._folder)),
            "vocabulary": self._vocabulary.file.n_vocabulary,
            "tokenizer": self._ngrams.tokenizer,
        }
        return [
            self.weak.describe(),
            self.strong.describe(),
            *({"role": name} | ngrams for name in NGRAM_ORDERS),
            *(() if self.adapter is None else (self.adapter.describe(),)),
        ]


def open_panel(
    name: str = "embedded",
    weak: str | Path | None = None,
    strong: str | Path | None = None,
    *,
    device: str | None = None,
    gpu_layers: int | None = None,
    expected: Mapping[str, str] | None = None,
    outputs: tuple[Outputs, Outputs] | None = None,
    adapter: str | Path | None = None,
) -> Panel:
    """Open a panel by name, or the panel of two GGUF files; open panels are cached.

    Parameters
    ----------
    name : str, default "embedded"
        A row of `PANELS`.
    weak, strong : str or Path, optional
        Llama-family GGUF files that take the place of the named panel's models.
    device : str, optional
        ``cpu``, or llama.cpp's name of a graphics card; by default what `on_device` or ``GHOSTBUSTER_DEVICE``
        says, else all cards there are.
    gpu_layers : int, optional
        Layers of each model to put on cards, likewise; all that fit by default.
    expected : mapping of str to str, optional
        Fingerprints of a detector: the models are read by the CPU path that it was made on.
    outputs : (Outputs, Outputs), optional
        What the weak and the strong model give beside the usual channels; by default what the named panel's
        row says, and nothing for files of a user.
    adapter : str or Path, optional
        A GGUF adapter of one of the two models, made by ``ghostbuster finetune``: a source more.

    Raises
    ------
    SettingError
        When no panel has that name, only one of two files is given, a card is wanted that is not there, or
        hidden states of a layer that is not there.
    ModelError
        When a file is missing, damaged, or no Llama-family model, or the panel's models were not pulled.
    """
    lookup(PANELS, name, "panel")
    if (weak is None) != (strong is None):
        given, missing = ("weak", "strong") if strong is None else ("strong", "weak")
        raise SettingError(f"a {given} model alone; expected two: name the {missing} model's GGUF file too")
    wanted = placement(device, gpu_layers)
    named = weak is None or strong is None
    files = panel_files(name if weak is None or strong is None else (weak, strong))
    row = PANELS[name]
    more = outputs or ((row.weak_outputs, row.strong_outputs) if named else (NOTHING_MORE, NOTHING_MORE))
    folder = absolute(weights_folder())
    cards(wanted)  # a wrong device is named before any file is read
    fingerprints = tuple((expected or {}).get(role) for role in ("weak", "strong"))
    changes = None if adapter is None else check_adapter(adapter)  # likewise
    own = () if changes is None else (changes.path,)
    read = (*files, *own, folder / PANELS["embedded"].weak, *ngram_files(folder / NGRAM_FOLDER))
    return _open_panels.get(
        (*files, own, folder, wanted, fingerprints, form_wish(), more),
        read,
        lambda: _open(*files, folder, wanted, fingerprints, more, changes),
    )


_open_panels: OpenPanels[Panel] = OpenPanels(max_size=4)
_open_panels.leave_behind_at_fork()


def _open(
    weak: Path,
    strong: Path,
    folder: Path,
    wanted: Placement,
    expected: tuple[str | None, ...],
    outputs: tuple[Outputs, Outputs],
    adapter: AdapterFile | None,
) -> Panel:
    """Check every file before any model loads."""
    on_card = bool(cards(wanted))
    served = [serve(path, on_card=on_card) for path in (weak, strong)]
    files = [one.file for one in served]
    embedded = check_model(folder / PANELS["embedded"].weak)
    ngrams = NgramModel.load(folder / NGRAM_FOLDER)
    windows = [min(file.context, MAX_CONTEXT) for file in files]
    if files[0].tokenizer == files[1].tokenizer:  # they read the same windows
        windows = [min(windows)] * 2
    models = [
        LlamaLM(
            one.file.path,
            role,
            n_ctx=window,
            wanted=wanted if one.original else with_trained_path(one.file, window, wanted, made),
            original=one.original,
            outputs=more,
        )
        for one, role, window, made, more in zip(
            served, ("weak", "strong"), windows, expected, outputs, strict=True
        )
    ]
    same = next((model.weights for model in models if model.tokenizer == embedded.tokenizer), None)
    if same is None:
        check_loads(embedded)
    vocabulary = same or Weights(embedded, vocabulary_only=True)
    base = next((model for model in models if adapter and model.digest == adapter.base), models[1])
    changed = None if adapter is None else AdapterLM(base, adapter)
    return Panel(models[0], models[1], ngrams, folder / NGRAM_FOLDER, vocabulary, changed)
