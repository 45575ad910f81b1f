"""Make the list of English words that tells a word broken at the end of a line from a compound.

    python -m training.data.word_list

Reads the word lists of Debian's packages ``wamerican`` and ``wbritish`` (SCOWL, size 60) and writes
``ghostbuster/text/english_words.txt.gz``: words of lower-case letters, one a line, sorted.
"""

from __future__ import annotations

import gzip
import re
from pathlib import Path

LISTS = ("american-english", "british-english")
FOLDER = Path("/usr/share/dict")
OUT = Path(__file__).parents[2] / "ghostbuster" / "text" / "english_words.txt.gz"


def main() -> None:
    """Write the list."""
    words = {word for name in LISTS for word in (FOLDER / name).read_text("utf-8").split()}
    kept = sorted(word for word in words if re.fullmatch(r"[a-z]{2,}", word))
    data = "\n".join(kept).encode()
    with OUT.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(data)
    print(f"{len(kept):,} words, {OUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
