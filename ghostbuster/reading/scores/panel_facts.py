"""What must be known of the language models that read some texts, once they are no longer at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

from ghostbuster.models.panel_choice import PanelName, StateLayers, panel_of
from ghostbuster.reading.cache import panel_key

if TYPE_CHECKING:
    from ghostbuster.models.panel import Panel


class KnownPanel(Protocol):
    """Language models that are open, or what is known of them."""

    @property
    def fingerprints(self) -> Mapping[str, str]:
        """By source, the digest of everything that moves its scores."""
        ...

    @property
    def versions(self) -> Mapping[str, str]:
        """Of the libraries that read."""
        ...

    def describe(self) -> list[dict[str, object]]:
        """Facts about each source, for JSON."""
        ...


@dataclass(frozen=True)
class PanelWish:
    """The language models that are to read, before they are opened; can be sent to another process.

    Attributes
    ----------
    name : str or (weak path, strong path)
    expected : dict of str to str, or None
        Fingerprints of a detector: quantised models are then read by the CPU path that it was made on.
    state_layers : tuple of int, or "auto"
        Layers of the strong model whose hidden states are wanted.
    """

    name: PanelName
    expected: dict[str, str] | None = None
    state_layers: StateLayers = ()

    def open(self, panel: PanelName | None = None) -> Panel:
        """Open them.

        Parameters
        ----------
        panel : str or (weak path, strong path), optional
            Where the files are, if elsewhere than the name says.

        Raises
        ------
        SettingError, ModelError
            As `panel_of`.
        """
        return panel_of(panel or self.name, self.expected, self.state_layers)


@dataclass(frozen=True)
class PanelFacts:
    """What is known of a panel that read some texts; takes its place where detectors are trained.

    Attributes
    ----------
    name : str or (weak path, strong path)
        As it was given.
    fingerprints : mapping of str to str
        By source, the digest of everything that moves its scores.
    shared_tokenizer : bool
        Whether all sources have the same tokens.
    models : list of dict
        What ``Panel.describe`` gives.
    state_layers : tuple of int
        Layers of the strong model whose hidden states are kept; empty where none are.
    versions : mapping of str to str
        Of the libraries that read.
    device : str
        Where they computed.
    build : str
        Digest of all that moves a number: models, build of llama.cpp, device, kind of processor.
    """

    name: PanelName
    fingerprints: Mapping[str, str]
    shared_tokenizer: bool
    models: list[dict[str, object]]
    state_layers: tuple[int, ...]
    versions: Mapping[str, str]
    device: str
    build: str

    @classmethod
    def of(cls, panel: Panel, name: PanelName) -> Self:
        """The facts of an open panel."""
        return cls(
            name=name,
            fingerprints=dict(panel.fingerprints),
            shared_tokenizer=panel.shared_tokenizer,
            models=panel.describe(),
            state_layers=panel.strong.outputs.state_layers,
            versions=dict(panel.versions),
            device=panel.device,
            build=panel_key(panel),
        )

    def describe(self) -> list[dict[str, object]]:
        """Facts about each source, for JSON."""
        return self.models

    def state(self) -> dict[str, Any]:
        """Plain containers that JSON knows."""
        return {
            "name": self.name if isinstance(self.name, str) else list(self.name),
            "fingerprints": dict(self.fingerprints),
            "shared_tokenizer": self.shared_tokenizer,
            "models": self.models,
            "state_layers": list(self.state_layers),
            "versions": dict(self.versions),
            "device": self.device,
            "build": self.build,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Undo ``state``.

        Raises
        ------
        KeyError, TypeError, ValueError
            When something is missing, or is of another kind.
        """
        name, models = state["name"], state["models"]
        if not isinstance(name, str):
            weak, strong = name
            name = (str(weak), str(strong))
        if not all(isinstance(one, dict) for one in models):
            raise TypeError("a model is no object")
        return cls(
            name=name,
            fingerprints={str(source): str(digest) for source, digest in state["fingerprints"].items()},
            shared_tokenizer=bool(state["shared_tokenizer"]),
            models=list(models),
            state_layers=tuple(int(layer) for layer in state["state_layers"]),
            versions={str(library): str(one) for library, one in state["versions"].items()},
            device=str(state["device"]),
            build=str(state["build"]),
        )
