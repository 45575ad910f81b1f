"""Initialise llama.cpp once in this process, and send its log to Python's logging."""

from __future__ import annotations

import ctypes
import logging
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any

from ghostbuster.models.backend.bindings import bindings
from ghostbuster.system.resource_errors import says_out_of_memory

lib: ModuleType = bindings

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


_callback = lib.llama_log_callback(_listen)  # llama.cpp holds a bare pointer: this keeps it alive


def start() -> ModuleType:
    """Initialise llama.cpp on the first call, and on every call send its log to ``ghostbuster.llama``.

    Other code in the process may have redirected the log since. The log comes first: graphics cards print
    their names as soon as anything asks for them.

    Returns
    -------
    module
        The bindings of llama-cpp-python.
    """
    with _lock:
        lib.llama_log_set(_callback, ctypes.c_void_p(0))
        recent_errors.clear()
        if not _started:
            lib.llama_backend_init()
            _started.append(True)
    return lib


def out_of_memory_error() -> MemoryError | None:
    """A `MemoryError` to raise another error from, where llama.cpp's log says so; else None."""
    said = "; ".join(recent_errors)
    return MemoryError(said) if says_out_of_memory(said) else None


@dataclass(frozen=True)
class TensorFunctions:
    """What ggml offers to look at a tensor, by its address.

    Attributes
    ----------
    callback_type : callable
        Makes a C function of ``(tensor, ask, data) -> bool``, for ``cb_eval``.
    name, n_bytes, n_elements : callable
    copy : callable
        ``(tensor, target address, offset, n_bytes)``; from a graphics card too.
    """

    callback_type: Callable[[Callable[[int, bool, object], bool]], Any]
    name: Callable[[int], bytes]
    n_bytes: Callable[[int], int]
    n_elements: Callable[[int], int]
    copy: Callable[[int, int, int, int], None]


@cache
def tensor_functions() -> TensorFunctions:
    """Functions of tensors, from ggml as llama-cpp-python brings it."""
    folder = Path(str(lib.__file__)).parent / "lib"
    name = {"win32": "ggml-base.dll", "darwin": "libggml-base.dylib"}.get(sys.platform, "libggml-base.so")
    ggml = ctypes.CDLL(str(folder / name))
    tensor, size = ctypes.c_void_p, ctypes.c_size_t
    types = {
        "ggml_get_name": ([tensor], ctypes.c_char_p),
        "ggml_nbytes": ([tensor], size),
        "ggml_nelements": ([tensor], ctypes.c_int64),
        "ggml_backend_tensor_get": ([tensor, ctypes.c_void_p, size, size], None),
    }
    found = []
    for function, (arguments, result) in types.items():
        made = getattr(ggml, function)
        made.argtypes, made.restype = arguments, result
        found.append(made)
    name_of, n_bytes, n_elements, copy = found
    return TensorFunctions(lib.ggml_backend_sched_eval_callback, name_of, n_bytes, n_elements, copy)
