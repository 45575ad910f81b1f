"""Child process that converts a model's weights to another type by llama.cpp's quantiser, which may crash.

``python -m ghostbuster.models.llama.convert_child REQUEST``: a JSON object with ``source``, ``target``
and ``file_type``. It ends with 0 when the target is complete; else it prints what llama.cpp said.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from collections.abc import Sequence

from ghostbuster.models.backend.library import recent_errors, start
from ghostbuster.models.sandbox.child import behave_as_child

FAILED = 3
"""Exit code when llama.cpp refuses; an error of Python itself gives 1, and says nothing of the model."""


def main(arguments: Sequence[str]) -> int:
    """Convert, and return the exit code."""
    behave_as_child()
    request = json.loads(arguments[0])
    llama = start()  # its log of a line a tensor goes nowhere
    settings = llama.llama_model_quantize_default_params()
    settings.ftype = int(request["file_type"])
    settings.allow_requantize = True  # the source is quantised already
    settings.nthread = os.cpu_count() or 1
    source, target = os.fsencode(request["source"]), os.fsencode(request["target"])
    if llama.llama_model_quantize(source, target, ctypes.byref(settings)) == 0:
        return 0
    print("; ".join(recent_errors))  # noqa: T201 - this is how it answers
    return FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
