"""What the build of llama.cpp and the machine make of a panel's models; no model is loaded for it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ghostbuster.errors import ModelError
from ghostbuster.models.backend import build
from ghostbuster.models.backend.devices import placement
from ghostbuster.models.gguf.check import ModelFile, check_model
from ghostbuster.models.llama.install_hint import faster
from ghostbuster.models.sandbox.cpu_path import Finding, answer_file, cpu_path, remembered


def outlook(models: Iterable[tuple[str, Path]], *, ask: bool) -> dict[str, object]:
    """Facts fit for JSON: the build, its devices, and the CPU path of each model with the reason.

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
        found = cpu_path(file) if ask else remembered(file)
        if found is not None:
            findings.append(found)
        rows.append({"role": role, "file": file.path.name, **_row(file, found)})
    facts: dict[str, object] = {
        "version": build.llama_version(),
        "gpu": build.can_offload(),
        "system": build.system_info(),
        "devices": [
            {"name": one.name, "kind": one.kind, "description": one.description, "memory_bytes": one.memory}
            for one in build.devices()
        ],
        "cpu_paths": rows,
    }
    command = faster(findings)
    return facts if command is None else facts | {"faster": command}


def _row(file: ModelFile, found: Finding | None) -> dict[str, str]:
    """The path that a new detector would be trained on; one that is made already keeps its own."""
    wish = placement().cpu_path
    if found is None:
        return {"path": "unknown", "reason": "not tried yet: `ghostbuster info --verbose` tries it"}
    row: dict[str, str] = {"path": found.path, "reason": found.reason}
    if found.tried:
        row["remembered_in"] = str(answer_file(file))
    if wish != "auto" and found.tried:
        usable = wish == "safe" or found.usable
        row |= {"path": wish if usable else "none", "reason": f"GHOSTBUSTER_CPU_PATH={wish}; {found.reason}"}
    return row
