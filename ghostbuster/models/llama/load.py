"""Load a model on the CPU or on GPUs; when it does not fit there, put fewer layers on the GPUs."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ghostbuster.errors import ModelError, SettingError
from ghostbuster.models.backend import build
from ghostbuster.models.backend.devices import CPU, PATH_VARIABLE, CpuPathSetting, Placement
from ghostbuster.models.gguf.model_file import ModelFile
from ghostbuster.models.llama.hardware import cuda_build_command
from ghostbuster.models.llama.runtime import Context, Placed, Weights
from ghostbuster.models.sandbox.cpu_path import UNTOUCHED, CpuPath, cpu_path
from ghostbuster.models.sandbox.load_check import check_loads
from ghostbuster.registry import unknown

SPREAD_BYTES = 1 << 30  # smaller models gain nothing from being spread over several cards

_log = logging.getLogger("ghostbuster")


@dataclass(frozen=True)
class Loaded:
    """A model in memory.

    Parameters
    ----------
    weights : Weights
    contexts : tuple of Context
        Those that were made to see whether they fit: none on the CPU.
    gpu_layers : int
        Layers on cards, the output head among them.
    device : str
        ``CPU``, a card's name, or several joined by ``+``.
    cpu_path : {"safe", "fast"}
    """

    weights: Weights
    contexts: tuple[Context, ...]
    gpu_layers: int
    device: str
    cpu_path: CpuPath


def cards(wanted: Placement) -> tuple[build.Device, ...]:
    """The GPUs to use; none means the CPU.

    Raises
    ------
    SettingError
        When one is required and this build of llama.cpp has none, or none of that name.
    """
    if wanted.on_cpu or wanted.gpu_layers == 0:
        return ()
    there = tuple(device for device in build.devices() if device.kind == "gpu") if build.can_offload() else ()
    if wanted.device is None:
        if not there and wanted.explicit:
            raise _no_card(f"gpu_layers={wanted.gpu_layers}")
        return there
    if not there:
        raise _no_card(f"device {wanted.device!r}")
    for device in there:
        if device.name.lower() == wanted.device.lower():
            return (device,)
    raise unknown(wanted.device, [CPU, *(device.name for device in there)], "device", SettingError)


def path_for(file: ModelFile, wanted: CpuPathSetting) -> CpuPath:
    """The CPU path that reads a model.

    Raises
    ------
    ModelError
        When the fast path is wanted and does not give right numbers on this machine.
    """
    if wanted == "safe" or UNTOUCHED.issuperset(file.matrix_types):
        return "safe"
    found = cpu_path(file)
    if wanted == "auto":
        return found.path
    if not found.usable:
        raise ModelError(
            f"{file.path}: the fast CPU path is wanted, but {found.reason}; expected right numbers: use a "
            f"detector trained with {PATH_VARIABLE}=safe, or another build of llama-cpp-python"
        )
    return "fast"


def load_model(
    file: ModelFile, n_context: int, n_contexts: int, wanted: Placement, tapped: Sequence[int] = ()
) -> Loaded:
    """Load a model, with as many of the wanted layers on GPUs as fit there.

    The number of layers is halved until they fit, at last to none; the logger ``ghostbuster`` says so.

    Parameters
    ----------
    file : ModelFile
    n_context : int, tokens
    n_contexts : int
        How many must fit on the cards beside the weights.
    wanted : Placement
    tapped : sequence of int
        Layers whose outputs the contexts give.

    Raises
    ------
    SettingError
        When a GPU is required that is not there.
    ModelError
        When llama.cpp cannot load the model even on the CPU, or crashes on it, or the CPU path wanted is
        not usable.
    """
    chosen = cards(wanted)
    check_loads(file)
    if file.n_bytes < SPREAD_BYTES:
        chosen = chosen[:1]
    path = "safe" if chosen and wanted.cpu_path == "auto" else path_for(file, wanted.cpu_path)
    whole = file.n_layers + 1  # the output head counts as one
    most = min(whole if wanted.gpu_layers is None else wanted.gpu_layers, whole)
    name = "+".join(device.name for device in chosen)
    for layers in _halves(most) if chosen else ():
        placed = Placed(layers, tuple(device.handle for device in chosen), fast=path == "fast")
        try:
            weights, contexts = _fit(file, placed, n_context, n_contexts, tapped)
        except ModelError:
            continue
        if layers < most:
            _log.warning("%s: %d of %d layers on %s, for want of memory", file.path, layers, most, name)
        return Loaded(weights, contexts, layers, name if layers == whole else f"{name}+CPU", path)
    if chosen:
        _log.warning("%s: on the CPU, for want of memory on %s", file.path, name)
    return _on_cpu(file, path, wanted)


def _on_cpu(file: ModelFile, path: CpuPath, wanted: Placement) -> Loaded:
    """On the wanted path; where that is left open, on the safe one if memory is short for the fast one."""
    try:
        return Loaded(Weights(file, Placed(fast=path == "fast")), (), 0, "CPU", path)
    except ModelError:
        if path == "safe" or wanted.cpu_path != "auto":
            raise
    _log.warning("%s: on the safe CPU path, for want of memory for the fast one", file.path)
    return Loaded(Weights(file, Placed()), (), 0, "CPU", "safe")


def _fit(
    file: ModelFile, placed: Placed, n_context: int, n_contexts: int, tapped: Sequence[int]
) -> tuple[Weights, tuple[Context, ...]]:
    """Weights and contexts, or neither."""
    weights = Weights(file, placed)
    contexts: list[Context] = []
    try:
        contexts += (Context(weights, n_context, tapped) for _ in range(n_contexts))
    except ModelError:
        _free([*contexts, weights])
        raise
    return weights, tuple(contexts)


def _free(made: Sequence[Context | Weights]) -> None:
    """At once, contexts first: the next attempt needs the memory."""
    for one in made:
        one.close()


def _halves(most: int) -> Iterator[int]:
    while most:
        yield most
        most //= 2


def _no_card(asked: str) -> SettingError:
    return SettingError(
        f"{asked}, but llama-cpp-python {build.llama_version()} finds no graphics card that it can use; "
        f"leave that out to use the CPU, or install a build for your card, of NVIDIA: {cuda_build_command()}"
    )
