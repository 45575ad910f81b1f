"""Import llama-cpp-python's bindings alone: its high-level half takes five times as long to import.

That half brings a template engine and a disk cache, which nothing here uses. The package stays whole for
other code of the process: what is missing is imported when it is first asked for.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec, module_from_spec
from threading import get_ident
from types import ModuleType
from typing import Any

# Threads that share a decode wait for one another after every product, a thousand times a decode, and OpenMP
# lets them spin for so long that a busy machine takes five times as long. It reads this when llama.cpp loads.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "5000")


class _Package(ModuleType):
    """The package ``llama_cpp``; its own ``__init__`` runs as soon as an attribute is missing."""

    def __getattr__(self, name: str) -> Any:
        """Run ``__init__``, twice if two threads ask at once: it imports and no more."""
        submodule = sys.modules.get(f"{self.__name__}.{name}")
        if submodule is not None:  # it is being imported
            return submodule
        spec = self.__spec__
        if get_ident() not in _running and spec is not None and spec.loader is not None:
            _running.add(get_ident())
            try:
                spec.loader.exec_module(self)
            finally:
                _running.discard(get_ident())
            if not _importing(self.__name__):
                self.__class__ = ModuleType  # type: ignore[assignment]  # it is whole now
            if name in self.__dict__:
                return self.__dict__[name]
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")


_running: set[int] = set()
"""Threads that run ``__init__``."""


def _importing(package: str) -> bool:
    """Whether a submodule is half imported: what it will bring is then still missing from the package."""
    modules = [module for name, module in list(sys.modules.items()) if name.startswith(f"{package}.")]
    return any(getattr(module.__spec__, "_initializing", False) for module in modules)


def _prepare() -> None:
    """Put the package where imports find it, without running it; one that is there already stays."""
    if "llama_cpp" in sys.modules:
        return
    spec = find_spec("llama_cpp")
    if spec is not None and spec.submodule_search_locations:  # else the import below says what is wrong
        package = module_from_spec(spec)
        package.__class__ = _Package
        sys.modules["llama_cpp"] = package


_prepare()

import llama_cpp.llama_cpp as bindings  # noqa: E402 - `from llama_cpp` would run the package

__all__ = ["bindings"]
