"""Reads a PDF from standard input in a process of its own, and writes its blocks to standard output as JSON.

PDFium is a C++ library: what makes it crash, or compute for ever, ends this process and no other.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress

from ghostbuster.text.documents.pdf.blocks import LockedError, document_of

MOST_MEMORY = 4 * 2**30
"""Bytes of address space."""


def main(seconds: int) -> None:
    """Answer within so many seconds of the CPU: blocks, or what went wrong."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    data = sys.stdin.buffer.read()
    try:
        made = document_of(data)
        answer = {
            "blocks": [[block.part.name, block.text] for block in made.blocks],
            "remarks": list(made.remarks),
        }
    except LockedError:
        answer = {"locked": True}
    except Exception as error:  # noqa: BLE001 - the parent says it
        answer = {"error": f"{type(error).__name__}: {error}".rstrip(": ")}
    sys.stdout.buffer.write(json.dumps(answer).encode("ascii"))


if __name__ == "__main__":
    main(int(sys.argv[1]))
