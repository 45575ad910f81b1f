"""llama.cpp in this process: started once, with its log kept off the terminal."""

from __future__ import annotations

import ctypes
import logging
from collections import deque
from threading import Lock
from types import ModuleType

import llama_cpp

from ghostbuster.system.resource_errors import says_want_of_memory

ERROR = 4  # GGML_LOG_LEVEL_ERROR

complaints: deque[str] = deque(maxlen=3)
"""The errors in llama.cpp's log since the last `start`, the newest last."""

_log = logging.getLogger("ghostbuster.llama")
_lock = Lock()
_started: list[bool] = []


def _listen(level: int, text: bytes, _data: object) -> None:
    """Send llama.cpp's log to the logger ``ghostbuster.llama``."""
    line = text.decode(errors="replace").strip()
    _log.debug(line)
    if level == ERROR and line:
        complaints.append(line)


_callback = llama_cpp.llama_log_callback(_listen)  # llama.cpp holds a bare pointer: this keeps it alive


def start() -> ModuleType:
    """Take over llama.cpp's log, should other code of the process have taken it; initialise it once.

    The log comes first: graphics cards name themselves as soon as anything asks for them.

    Returns
    -------
    module
        ``llama_cpp``.
    """
    with _lock:
        llama_cpp.llama_log_set(_callback, ctypes.c_void_p(0))
        complaints.clear()
        if not _started:
            llama_cpp.llama_backend_init()
            _started.append(True)
    return llama_cpp


def want_of_memory() -> MemoryError | None:
    """What an error comes of, where llama.cpp's own words say so."""
    said = "; ".join(complaints)
    return MemoryError(said) if says_want_of_memory(said) else None
