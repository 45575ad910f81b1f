"""The one command that would make scoring faster on this machine, where there is one."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from ghostbuster.models.backend.build import can_offload, llama_version
from ghostbuster.models.backend.cpu import has_amx, has_nvidia_card
from ghostbuster.models.sandbox.cpu_path import Finding

AMX_FLAGS = "-DCMAKE_CXX_FLAGS='-fno-tree-dse -fno-dse'"
"""Version 12 of gcc drops stores that fill ggml's tile configuration; without those passes it keeps them."""


def faster(findings: Sequence[Finding]) -> str | None:
    """A shell command that installs a faster build of the same llama-cpp-python; None where none is known.

    Parameters
    ----------
    findings : sequence of Finding
        Of the language models in use.
    """
    if has_nvidia_card() and not can_offload():
        return cuda_build()
    if has_amx() and any(one.tried and not one.usable for one in findings):
        return _reinstall(AMX_FLAGS)
    return None


def cuda_build() -> str:
    """The command for NVIDIA cards; llama-cpp-python's README has the flags of others."""
    return _reinstall("-DGGML_CUDA=on")


def _reinstall(flags: str) -> str:
    """Build the version at hand again, with these flags."""
    return (
        f"CMAKE_ARGS={shlex.quote(flags)} pip install --force-reinstall --no-deps --no-cache-dir "
        f"--no-binary=llama-cpp-python llama-cpp-python=={llama_version()}"
    )
