"""The parameters of a detector: their one list, with defaults, types and checks."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from ghostbuster.errors import SettingError
from ghostbuster.models.panel_choice import PanelName
from ghostbuster.registry import did_you_mean

if TYPE_CHECKING:
    from ghostbuster.models.panel_choice import StateLayers

DEFAULT_PANEL = "embedded"
"""A panel that needs no download."""

_P = ParamSpec("_P")
_Self = TypeVar("_Self")


@dataclass(frozen=True)
class Params:
    """The constructor's parameters; what each means stands at ``GhostbusterClassifier``.

    This is the only list of them: constructor, checks, artifact, manifest and commands read it.
    """

    panel: PanelName = DEFAULT_PANEL
    space: str = "default"
    max_features: int = 100
    head: str = "logistic"
    readers: str = "auto"
    mix: str = "auto"
    lexical_weight: float = 0.7
    criterion: str = "log_loss"
    max_fpr: float = 0.01
    min_tokens: int = 100
    n_folds: int = 5
    random_state: int = 0
    adapter: str = ""

    @classmethod
    def of(cls, holder: object) -> Params:
        """The parameters that an object has as attributes."""
        return cls(**{name: getattr(holder, name) for name in NAMES})

    def plain(self) -> dict[str, Any]:
        """Names in alphabetical order with values that JSON knows."""
        values = {name: getattr(self, name) for name in sorted(NAMES)}
        return {name: list(one) if isinstance(one, tuple | list) else one for name, one in values.items()}

    @property
    def reader_names(self) -> tuple[str, ...]:
        """What reads a text, in the order of ``READERS``; ``auto`` is what the panel is best at."""
        from ghostbuster.heads.scorer import READERS
        from ghostbuster.models.panels import PANELS

        wanted = set(_parted(self.readers))
        if self.readers == "auto":
            row = PANELS.get(self.panel) if isinstance(self.panel, str) else None
            wanted = {"features", "words"} | (
                {"states"} if row is not None and row.strong_outputs.state_layers else set()
            )
            wanted |= {ADAPTER} if self.adapter else set()
        if self.lexical_weight == 0:
            wanted -= {"words"}
        return tuple(name for name in READERS if name in wanted)

    @property
    def state_layers(self) -> StateLayers:
        """Hidden states that a panel is to read for training."""
        return "auto" if "states" in self.reader_names else ()

    @property
    def is_stacked(self) -> bool:
        """Whether the readers' weights are learned; ``auto`` learns them where hidden states are read."""
        costly = {"states", ADAPTER} & set(self.reader_names)
        return self.mix == "stacked" or (self.mix == "auto" and bool(costly))

    def check(self) -> None:
        """Refuse parameters that no training can use.

        Raises
        ------
        SettingError
            When one is out of range or names no row of its table; the nearest is suggested.
        """
        from ghostbuster.decision.thresholds import check_rate
        from ghostbuster.features.search.criteria import CRITERIA
        from ghostbuster.features.spaces import SPACES
        from ghostbuster.heads.scorer import READERS
        from ghostbuster.heads.table import HEADS

        _check_row("space", self.space, SPACES)
        _check_row("criterion", self.criterion, CRITERIA)
        _check_row("head", self.head, HEADS)
        _check_row("mix", self.mix, MIXES)
        if self.readers != "auto":
            for name in _parted(self.readers):
                _check_row("readers", name, READERS)
            if "features" not in _parted(self.readers):
                raise SettingError(
                    f"readers={self.readers!r} lacks features; expected them, and others beside"
                )
            if (ADAPTER in _parted(self.readers)) != bool(self.adapter):
                raise SettingError(
                    f"readers={self.readers!r} with adapter={self.adapter!r}; expected the reader adapter "
                    "where an adapter's file is given, and nowhere else"
                )
        check_rate(self.max_fpr)
        if not 0 <= self.lexical_weight < 1:
            raise SettingError(f"lexical_weight={self.lexical_weight!r}; expected 0 or more, and less than 1")
        for name, least in (("max_features", 1), ("min_tokens", 1), ("n_folds", 2)):
            if getattr(self, name) < least:
                raise SettingError(f"{name}={getattr(self, name)!r}; expected {least} or more")


ADAPTER = "adapter"
"""The reader that an adapter makes."""
MIXES = ("auto", "stacked", "shares")
"""How the readers' weights come about: learned on held-out texts, or shares set by ``lexical_weight``."""


def _parted(readers: str) -> tuple[str, ...]:
    """Names of readers, of a list with commas."""
    return tuple(name.strip() for name in readers.split(","))


NAMES = tuple(Params.__dataclass_fields__)


def constructor(
    make: Callable[_P, Params],
) -> Callable[[Callable[[_Self, Params], None]], Callable[Concatenate[_Self, _P], None]]:
    """An ``__init__`` that takes the parameters of ``make``, one by one, and is given what ``make`` returns.

    scikit-learn's ``get_params`` and ``clone`` learn the names from the signature.
    """

    def decorate(keep: Callable[[_Self, Params], None]) -> Callable[Concatenate[_Self, _P], None]:
        def init(self: _Self, /, *args: _P.args, **kwargs: _P.kwargs) -> None:
            keep(self, make(*args, **kwargs))

        update_wrapper(init, keep)
        itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        parameters = inspect.signature(make).parameters.values()
        init.__signature__ = inspect.Signature([itself, *parameters], return_annotation="None")  # type: ignore[attr-defined]
        return init

    return decorate


def _check_row(kind: str, name: Any, table: Collection[str]) -> None:
    """Refuse a name that a table does not know."""
    if name not in table:
        raise SettingError(f"{kind}={name!r} is unknown; {did_you_mean(str(name), table)}")
