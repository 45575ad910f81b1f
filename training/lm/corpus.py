"""Build the training corpus: canonical paragraphs of the raw files, without the held-out ones.

Writes one ``<source>.txt`` a source: a paragraph a line, an empty line after each document, and
``heldout/<register>.txt``: a document a line. Nothing of it belongs into the repository.

    python training/lm/corpus.py --corpora ../shared/corpora --runs RUNS [--whole]
"""

import argparse
import hashlib
import lzma
import random
import re
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing import Pool
from pathlib import Path

from canonical import canonical

GRAM = 8  # words in a row that count as copied from a held-out text
STRIDE = 4
_WORD = re.compile(r"[a-z0-9']+")
_INDEX_ENTRY = re.compile(r"\.txt ")


@dataclass(frozen=True)
class Source:
    """One corpus file and how much of it is read.

    ``keep`` is the fraction of its documents; ``early`` that of the first half of the file (older
    texts come first); ``held_out`` the fraction of last documents that are never trained on.
    """

    name: str
    keep: float = 1.0
    early: float = 1.0
    held_out: float = 0.0
    drop_document: bool = False  # a copied passage drops the document, not the paragraph alone


SOURCES = (
    Source("enwiki2015", keep=0.36, drop_document=True),
    Source("gutenberg_1900plus", keep=0.65),
    Source("gutenberg_pre1900", keep=0.5),
    Source("changelog_pre2020", keep=0.8),
    Source("presidential_speeches", keep=0.9, early=0.2),
    Source("openstax_ccby"),
    Source("blogs_cc_pre2020"),
    Source("scp_fiction_pre2020", held_out=0.04),
    Source("masc_nltk", held_out=0.05),
    Source("ud_ewt_web", held_out=0.05),
)
HELD_OUT_FILES = ("wikitext2_valid", "wikitext2_test")


def documents(path: Path) -> Iterator[list[str]]:
    """Yield each document of an ``.xz`` corpus file as its canonical paragraphs."""
    paragraphs: list[str] = []
    lines: list[str] = []
    with lzma.open(path, "rt", encoding="utf-8") as stream:
        for line in stream:
            ends = "\f" in line
            text = line.replace("\f", "").strip()
            if text:
                lines.append(text)
            if (not text or ends) and lines:
                paragraphs.append(canonical(" ".join(lines)))
                lines = []
            if ends and paragraphs:
                yield paragraphs
                paragraphs = []
    if lines:
        paragraphs.append(canonical(" ".join(lines)))
    if paragraphs:
        yield paragraphs


def grams(text: str, stride: int) -> Iterator[str]:
    """Yield runs of ``GRAM`` lower-case words, one every ``stride`` words; none across ``<unk>``."""
    for part in text.lower().split("<unk>"):
        words = _WORD.findall(part)
        for start in range(0, len(words) - GRAM + 1, stride):
            yield " ".join(words[start : start + GRAM])


def held_out_grams(corpora: Path) -> frozenset[str]:
    """Every run of ``GRAM`` words of the held-out files."""
    return frozenset(
        gram
        for name in HELD_OUT_FILES
        for document in documents(corpora / f"{name}.txt.xz")
        for gram in grams(" ".join(document), stride=1)
    )


def kept(source: Source, corpora: Path) -> tuple[list[list[str]], list[list[str]]]:
    """Documents of one source to train on, and those held out at its end.

    The fraction to keep is drawn before anything else is done with a document.
    """
    draw = random.Random(zlib.crc32(source.name.encode()))  # noqa: S311 (a sample, no secret)
    found = list(_sampled(source, corpora, draw))
    split = len(found) - round(len(found) * source.held_out)
    train, held = found[:split], found[split:]
    if source.early < 1:
        half = len(train) // 2
        train = [d for i, d in enumerate(train) if i >= half or draw.random() < source.early]
    return train, held


def _sampled(source: Source, corpora: Path, draw: random.Random) -> Iterator[list[str]]:
    for document in documents(corpora / f"{source.name}.txt.xz"):
        if source.keep >= 1 or draw.random() < source.keep:
            yield document


def cleaned(source: Source, train: list[list[str]], forbidden: frozenset[str]) -> Iterator[list[str]]:
    """Documents without repeated paragraphs and without passages of held-out texts."""
    seen: set[bytes] = set()
    for document in train:
        fresh = []
        copied = False
        for paragraph in document:
            if len(_INDEX_ENTRY.findall(paragraph)) > 2:  # a file list is no prose
                continue
            digest = hashlib.blake2b(paragraph.encode(), digest_size=8).digest()
            if digest in seen and len(paragraph) > 40:
                continue
            seen.add(digest)
            if any(gram in forbidden for gram in grams(paragraph, STRIDE)):
                copied = True
                continue
            fresh.append(paragraph)
        if fresh and not (copied and source.drop_document):
            yield fresh


def prepare(source: Source, corpora: Path, out: Path) -> str:
    """Write one source; return a line that says what was kept."""
    train, held = kept(source, corpora)
    forbidden = held_out_grams(corpora)
    if held:
        forbidden |= {gram for d in held for gram in grams(" ".join(d), stride=1)}
        text = "\n".join(" ".join(document) for document in held)
        (out / "heldout" / f"{source.name}.txt").write_text(text + "\n", encoding="utf-8")
    n_documents = n_characters = 0
    with (out / f"{source.name}.txt").open("w", encoding="utf-8") as stream:
        for document in cleaned(source, train, forbidden):
            n_documents += 1
            n_characters += stream.write("\n".join(document) + "\n\n")
    dropped = len(train) - n_documents
    kept_part = f"{source.name}: {n_documents} documents, {n_characters} characters"
    return f"{kept_part}, {dropped} dropped, {len(held)} held out"


def write_held_out(corpora: Path, out: Path) -> None:
    """Write the files that are held out whole, a document a line."""
    for name in HELD_OUT_FILES:
        lines = [" ".join(document) for document in documents(corpora / f"{name}.txt.xz")]
        (out / "heldout" / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--runs", type=Path, required=True, help="gets corpus/")
    parser.add_argument("--whole", action="store_true", help="read every source whole, not the share above")
    parser.add_argument("--sources", nargs="+", default=[s.name for s in SOURCES], help="only these")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    out = options.runs / "corpus"
    (out / "heldout").mkdir(parents=True, exist_ok=True)
    write_held_out(options.corpora, out)
    sources = [source for source in SOURCES if source.name in options.sources]
    if options.whole:
        sources = [replace(source, keep=1.0) for source in sources]
    jobs = [(source, options.corpora, out) for source in sources]
    with Pool(options.processes) as pool:
        for job in [pool.apply_async(prepare, args) for args in jobs]:
            print(job.get(), file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
