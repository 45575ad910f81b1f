"""Which CPU path and devices each model would use, without loading it; how to install a faster build."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from ghostbuster.errors import ModelError
from ghostbuster.models.backend.build import can_offload, devices, llama_version, system_info
from ghostbuster.models.backend.cpu import has_amx, has_nvidia_card
from ghostbuster.models.backend.devices import placement
from ghostbuster.models.gguf.check import check_model
from ghostbuster.models.gguf.model_file import ModelFile
from ghostbuster.models.sandbox.cpu_path import Finding, cache_file, cached_cpu_path, cpu_path

AMX_FLAGS = "-DCMAKE_CXX_FLAGS='-fno-tree-dse -fno-dse'"
"""Version 12 of gcc drops stores that fill ggml's tile configuration; without those passes it keeps them."""


def hardware_report(models: Iterable[tuple[str, Path]], *, ask: bool) -> dict[str, object]:
    """Facts for JSON: the llama.cpp build, its devices, and the CPU path of each model with the reason.

    Parameters
    ----------
    models : iterable of (str, Path)
        Role and file of each language model.
    ask : bool
        Whether to have a child try the fast path of models of which nothing is known; it takes seconds.

    Returns
    -------
    dict
        ``version``, ``gpu``, ``system``, ``devices``, ``cpu_paths`` and, where one is known, ``faster``: the
        command that installs a faster build.
    """
    findings: list[Finding] = []
    rows = []
    for role, path in models:
        try:
            file = check_model(path)
        except ModelError as error:
            rows.append({"role": role, "file": str(path), "path": "", "reason": str(error)})
            continue
        found = cpu_path(file) if ask else cached_cpu_path(file)
        if found is not None:
            findings.append(found)
        rows.append({"role": role, "file": file.path.name, **_row(file, found)})
    facts: dict[str, object] = {
        "version": llama_version(),
        "gpu": can_offload(),
        "system": system_info(),
        "devices": [
            {"name": one.name, "kind": one.kind, "description": one.description, "memory_bytes": one.memory}
            for one in devices()
        ],
        "cpu_paths": rows,
    }
    command = faster_build_command(findings)
    return facts if command is None else facts | {"faster": command}


def _row(file: ModelFile, found: Finding | None) -> dict[str, str]:
    """The path that a new detector would be trained on; one that is made already keeps its own."""
    wish = placement().cpu_path
    if found is None:
        return {"path": "unknown", "reason": "not tried yet: `ghostbuster info --verbose` tries it"}
    row: dict[str, str] = {"path": found.path, "reason": found.reason}
    if found.tried:
        row["remembered_in"] = str(cache_file(file))
    if wish != "auto" and found.tried:
        usable = wish == "safe" or found.usable
        row |= {"path": wish if usable else "none", "reason": f"GHOSTBUSTER_CPU_PATH={wish}; {found.reason}"}
    return row


def faster_build_command(findings: Sequence[Finding]) -> str | None:
    """A shell command that installs a faster build of the same llama-cpp-python; None where none is known.

    Parameters
    ----------
    findings : sequence of Finding
        Of the language models in use.
    """
    if has_nvidia_card() and not can_offload():
        return cuda_build_command()
    if has_amx() and any(one.tried and not one.usable for one in findings):
        return _reinstall(AMX_FLAGS)
    return None


def cuda_build_command() -> str:
    """The command for NVIDIA cards; llama-cpp-python's README has the flags of others."""
    return _reinstall("-DGGML_CUDA=on")


def _reinstall(flags: str) -> str:
    """Build the version at hand again, with these flags."""
    return (
        f"CMAKE_ARGS={shlex.quote(flags)} pip install --force-reinstall --no-deps --no-cache-dir "
        f"--no-binary=llama-cpp-python llama-cpp-python=={llama_version()}"
    )
