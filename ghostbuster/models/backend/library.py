"""Initialise llama.cpp once in this process, and send its log to Python's logging."""

from __future__ import annotations

import ctypes
import logging
from collections import deque
from threading import Lock
from types import ModuleType

import llama_cpp

from ghostbuster.system.resource_errors import says_out_of_memory

ERROR = 4  # GGML_LOG_LEVEL_ERROR

recent_errors: deque[str] = deque(maxlen=3)
"""Error lines of llama.cpp's log since the last `start`, the newest last."""

_log = logging.getLogger("ghostbuster.llama")
_lock = Lock()
_started: list[bool] = []


def _listen(level: int, text: bytes, _data: object) -> None:
    """Send llama.cpp's log to the logger ``ghostbuster.llama``."""
    line = text.decode(errors="replace").strip()
    _log.debug(line)
    if level == ERROR and line:
        recent_errors.append(line)


_callback = llama_cpp.llama_log_callback(_listen)  # llama.cpp holds a bare pointer: this keeps it alive


def start() -> ModuleType:
    """Initialise llama.cpp on the first call, and on every call send its log to ``ghostbuster.llama``.

    Other code in the process may have redirected the log since. The log comes first: graphics cards print
    their names as soon as anything asks for them.

    Returns
    -------
    module
        ``llama_cpp``.
    """
    with _lock:
        llama_cpp.llama_log_set(_callback, ctypes.c_void_p(0))
        recent_errors.clear()
        if not _started:
            llama_cpp.llama_backend_init()
            _started.append(True)
    return llama_cpp


def out_of_memory_error() -> MemoryError | None:
    """A `MemoryError` to raise another error from, where llama.cpp's log says so; else None."""
    said = "; ".join(recent_errors)
    return MemoryError(said) if says_out_of_memory(said) else None
