"""Child process that renders the chat template of a GGUF file, with little time and memory.

``python -m ghostbuster.models.sandbox.chat_frame_child MODEL`` prints a JSON object: ``before`` and
``after``, or ``error``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from ghostbuster.errors import GhostbusterError
from ghostbuster.models.gguf.chat_template import render
from ghostbuster.models.gguf.header import read_header
from ghostbuster.models.sandbox.chat_frame import CPU_SECONDS, MOST_BYTES
from ghostbuster.models.sandbox.child import behave_as_child


def main(arguments: Sequence[str]) -> None:
    """Render the template of the model named."""
    behave_as_child()
    try:
        header = read_header(Path(arguments[0]))
        _limit()
        said = asdict(render(header))
    except GhostbusterError as error:
        said = {"error": str(error)}
    sys.stdout.write(json.dumps(said))


def _limit() -> None:
    """From here on the process may use so much; beyond, the system ends it or refuses memory."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))


if __name__ == "__main__":
    main(sys.argv[1:])
