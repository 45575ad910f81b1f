"""What reads parts: a panel in this process, or the workers of a cluster, in one form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ghostbuster.reading.scores.panel_facts import PanelFacts, PanelWish
from ghostbuster.reading.scores.part import PartRows


@dataclass(frozen=True)
class PartsReader:
    """Language models that read parts.

    Attributes
    ----------
    facts : PanelFacts
    read : callable
        Parts and their number to each part with the bytes of its file, as soon as it is read.
    """

    facts: PanelFacts
    read: Callable[[Iterator[PartRows], int], Iterator[tuple[PartRows, bytes]]]


@contextmanager
def local_reader(wish: PanelWish) -> Iterator[PartsReader]:
    """The panel in this process, one part after another.

    Raises
    ------
    SettingError, ModelError
        When it cannot be opened.
    """
    panel = wish.open()
    yield PartsReader(
        PanelFacts.of(panel, wish.name), lambda parts, _n: ((part, part.read(panel)) for part in parts)
    )
