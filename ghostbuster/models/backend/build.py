"""The installed build of llama.cpp: version, digest, devices, GPU support. No model is loaded."""

from __future__ import annotations

import ctypes
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_KINDS = {0: "cpu", 1: "gpu", 2: "gpu", 3: "accelerator"}  # ggml_backend_dev_type; 2 shares the host's memory


@dataclass(frozen=True)
class Device:
    """A device that llama.cpp can compute on.

    Parameters
    ----------
    name : str
        llama.cpp's name: ``CUDA0``, ``Vulkan0``, ``CPU``.
    description : str
        The maker's name.
    kind : str
        ``cpu``, ``gpu`` or ``accelerator``.
    memory : int, bytes
        All of it, used or not.
    handle : int
        llama.cpp's own, good for this process.
    """

    name: str
    description: str
    kind: str
    memory: int
    handle: int


def llama_version() -> str:
    """Version of llama-cpp-python."""
    return version("llama-cpp-python")


def can_offload() -> bool:
    """Whether this build of llama.cpp can offload layers to a GPU of this machine."""
    from ghostbuster.models.backend.library import start

    return bool(start().llama_supports_gpu_offload())


def system_info() -> str:
    """llama.cpp's own line about the CPU's features and the backends of the build."""
    from ghostbuster.models.backend.library import start

    line: str = start().llama_print_system_info().decode(errors="replace").strip().rstrip("|").strip()
    return line


@cache
def build_digest() -> str:
    """Digest of the version and of each shared library's name, size and time of change: a build's identity.

    The libraries are not loaded for it.
    """
    spec = find_spec("llama_cpp")
    folder = Path(spec.origin).parent / "lib" if spec and spec.origin else Path()
    lines = [llama_version()]
    for path in sorted(folder.glob("*")):
        if path.is_file():
            status = path.stat()
            lines.append(f"{path.name} {status.st_size} {status.st_mtime_ns}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@cache
def devices() -> tuple[Device, ...]:
    """All devices of this build, in llama.cpp's order; empty where it exports no list."""
    ggml = _ggml()
    if ggml is None:
        return ()
    found = []
    for i in range(ggml.ggml_backend_dev_count()):
        handle = ggml.ggml_backend_dev_get(i)
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        ggml.ggml_backend_dev_memory(handle, ctypes.byref(free), ctypes.byref(total))
        found.append(
            Device(
                ggml.ggml_backend_dev_name(handle).decode(errors="replace"),
                ggml.ggml_backend_dev_description(handle).decode(errors="replace"),
                _KINDS.get(ggml.ggml_backend_dev_type(handle), "accelerator"),
                total.value,
                handle,
            )
        )
    return tuple(found)


def _ggml() -> Any:
    """Functions of ggml about devices: llama-cpp-python has loaded them, but wraps none."""
    from ghostbuster.models.backend.library import start

    folder = Path(start().__file__ or "").parent / "lib"
    names = ("libggml.so", "libggml.dylib", "ggml.dll", "libggml.dll")
    path = next((folder / name for name in names if (folder / name).is_file()), None)
    try:
        ggml = ctypes.CDLL(str(path))
        pointer, size, out = ctypes.c_void_p, ctypes.c_size_t, ctypes.POINTER(ctypes.c_size_t)
        for name, takes, gives in (
            ("count", [], size),
            ("get", [size], pointer),
            ("name", [pointer], ctypes.c_char_p),
            ("description", [pointer], ctypes.c_char_p),
            ("type", [pointer], ctypes.c_int),
            ("memory", [pointer, out, out], None),
        ):
            function = getattr(ggml, f"ggml_backend_dev_{name}")
            function.argtypes, function.restype = takes, gives
    except (OSError, AttributeError):  # a build that keeps them elsewhere
        return None
    return ggml
