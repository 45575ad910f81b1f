"""Feature expressions as immutable trees: a chain of vector operations, or a statistic's models."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from ghostbuster.errors import FeatureError
from ghostbuster.features.ops import OPS
from ghostbuster.features.zero_shot import LANGUAGE_MODELS
from ghostbuster.registry import did_you_mean

# Steps from the first vector on, each an op (none at first) and a vector's name
Path: TypeAlias = tuple[tuple[str, str], ...]

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_VECTOR = re.compile(rf"{_NAME.pattern}\.{_NAME.pattern}")


@dataclass(frozen=True, slots=True)
class Vector:
    """A vector by name: ``strong.logprob``.

    Raises
    ------
    FeatureError
        When the name is not ``source.channel`` in lower case.
    """

    name: str

    def __post_init__(self) -> None:
        if not _VECTOR.fullmatch(self.name):
            raise FeatureError(f"{self.name!r} is no vector; expected source.channel, as strong.logprob")

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> Path:
        """Its steps."""
        return (("", self.name),)


@dataclass(frozen=True, slots=True)
class Apply:
    """An op between a chain and one more vector.

    Raises
    ------
    FeatureError
        When no row of ``OPS`` has this name.
    """

    left: Vector | Apply
    op: str
    right: Vector

    def __post_init__(self) -> None:
        if self.op not in OPS:
            raise FeatureError(f"no op {self.op!r}; {did_you_mean(self.op, OPS)}")

    def __str__(self) -> str:
        return f"{self.left} {self.op} {self.right}"

    @property
    def path(self) -> Path:
        """Its steps."""
        return (*self.left.path, (self.op, self.right.name))


@dataclass(frozen=True, slots=True)
class Models:
    """What a statistic reads: the scoring source, and the reference where it has one.

    Raises
    ------
    FeatureError
        When a name is none, or reference and scoring source are not the two language models.
    """

    scoring: str
    reference: str = ""

    def __post_init__(self) -> None:
        for name in filter(None, (self.scoring, self.reference)):
            if not _NAME.fullmatch(name):
                raise FeatureError(f"{name!r} is no source; expected one name, as strong")
        if self.reference and {self.scoring, self.reference} != set(LANGUAGE_MODELS):
            raise FeatureError(
                f"{self.scoring!r} cannot be scored against {self.reference!r}; "
                f"expected the two language models: {' and '.join(LANGUAGE_MODELS)}, in either order"
            )

    def __str__(self) -> str:
        return f"{self.scoring} {self.reference}".rstrip()


Chain: TypeAlias = Vector | Apply


def chain_of(first: str, *rest: str) -> Chain:
    """``chain_of("a.x", "v-sub", "b.y")``: a vector, then ops and vectors by turns."""
    chain: Chain = Vector(first)
    for op, name in zip(rest[::2], rest[1::2], strict=True):
        chain = Apply(chain, op, Vector(name))
    return chain
