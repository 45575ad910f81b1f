"""User settings for where models compute: CPU or GPU, layers on the GPU, CPU path."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass, replace
from typing import Literal, cast

from ghostbuster.errors import SettingError
from ghostbuster.registry import unknown

DEVICE_VARIABLE = "GHOSTBUSTER_DEVICE"
LAYERS_VARIABLE = "GHOSTBUSTER_GPU_LAYERS"
PATH_VARIABLE = "GHOSTBUSTER_CPU_PATH"

CPU = "cpu"
CpuPathSetting = Literal["auto", "safe", "fast"]
PATHS: tuple[CpuPathSetting, ...] = ("auto", "safe", "fast")


@dataclass(frozen=True)
class Placement:
    """Where a user wants models to compute.

    Parameters
    ----------
    device : str, optional
        ``cpu``, or llama.cpp's name of a graphics card (``CUDA0``); all cards there are by default.
    gpu_layers : int, optional
        Layers to put on cards, 0 or more; as many as fit by default.
    cpu_path : {"auto", "safe", "fast"}
        ``auto`` is the path that a detector was made on, and for a new one the faster that is right.

    Raises
    ------
    SettingError
        When one is out of range, or the CPU is to hold layers of a card.
    """

    device: str | None = None
    gpu_layers: int | None = None
    cpu_path: CpuPathSetting = "auto"

    def __post_init__(self) -> None:
        if self.gpu_layers is not None and self.gpu_layers < 0:
            raise SettingError(
                f"gpu_layers={self.gpu_layers}; expected 0 or more: leave it out for all that fit"
            )
        if self.on_cpu and self.gpu_layers:
            raise SettingError(
                f"device {self.device!r} with gpu_layers={self.gpu_layers}; expected a graphics card for "
                "them: leave one of the two out"
            )
        if self.cpu_path not in PATHS:
            raise unknown(self.cpu_path, PATHS, f"CPU path ({PATH_VARIABLE})", SettingError)

    @property
    def on_cpu(self) -> bool:
        """Whether the user asked for the CPU."""
        return self.device is not None and self.device.lower() == CPU

    @property
    def explicit(self) -> bool:
        """Whether the user asked for a GPU, so that falling back to the CPU would be wrong."""
        return bool(self.gpu_layers) or (self.device is not None and not self.on_cpu)


_chosen: ContextVar[Placement | None] = ContextVar("placement", default=None)


def placement(device: str | None = None, gpu_layers: int | None = None) -> Placement:
    """The settings that hold now: the arguments, else those of `on_device`, else environment variables.

    Raises
    ------
    SettingError
        When a variable or an argument cannot be used.
    """
    wanted = _chosen.get() or _of_environment()
    if device is not None or gpu_layers is not None:
        return replace(wanted, device=device, gpu_layers=gpu_layers)
    return wanted


def choose(device: str | None = None, gpu_layers: int | None = None) -> Token[Placement | None]:
    """Like `on_device`, for the rest of this context (`contextvars`).

    Returns
    -------
    contextvars.Token
        Of what was chosen before.
    """
    return _chosen.set(placement(device, gpu_layers))


@contextmanager
def on_device(device: str | None = None, gpu_layers: int | None = None) -> Iterator[None]:
    """Have every panel that is opened inside the block compute there.

    Parameters
    ----------
    device : str, optional
        ``cpu``, or llama.cpp's name of a graphics card (``CUDA0``).
    gpu_layers : int, optional
        Layers to put on cards; as many as fit by default.

    Raises
    ------
    SettingError
        When ``gpu_layers`` is below 0, or above with ``cpu``.

    Examples
    --------
    >>> with on_device("cpu"):
    ...     verdicts = detector.judge(texts)
    """
    token = choose(device, gpu_layers)
    try:
        yield
    finally:
        _chosen.reset(token)


def _of_environment() -> Placement:
    """The settings of the environment variables."""
    layers = os.environ.get(LAYERS_VARIABLE) or None
    if layers is not None and not re.fullmatch(r"\d{1,9}", layers):
        raise SettingError(f"{LAYERS_VARIABLE}={layers!r}; expected a whole number, 0 or more")
    return Placement(
        os.environ.get(DEVICE_VARIABLE) or None,
        None if layers is None else int(layers),
        cast("CpuPathSetting", (os.environ.get(PATH_VARIABLE) or "auto").lower()),
    )
