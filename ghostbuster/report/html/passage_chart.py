"""SVG chart of the probability along a text: bars for sentences, a line for windows."""

from __future__ import annotations

from ghostbuster.detector.passages import Passage, Passages
from ghostbuster.folds import MACHINE_FROM

_HEIGHT = 100
_RIM = 3  # a line at 0 or 1 is not cut in half


def passage_chart(passages: Passages, n_units: int) -> str:
    """An SVG without text that stretches to the width it is given; 0 at the bottom, 1 at the top.

    Parameters
    ----------
    passages : Passages
        With at least one window.
    n_units : int
        Of the whole text.
    """
    bars = "".join(_bar(sentence, i) for i, sentence in enumerate(passages.sentences, start=1))
    lines = "".join(_line(window, i) for i, window in enumerate(passages.windows, start=1))
    return (
        f'<svg role="img" viewBox="0 -{_RIM} {n_units} {_HEIGHT + 2 * _RIM}" preserveAspectRatio="none" '
        f'aria-label="{describe(passages)}">{bars}'
        f'<line class="half" x1="0" x2="{n_units}" y1="50" y2="50"/>{lines}</svg>'
    )


def describe(passages: Passages) -> str:
    """The chart in one sentence, for readers who cannot see it."""
    sentences = [one.probability for one in passages.sentences]
    windows = [one.probability for one in passages.windows]
    return (
        f"Probability along the text: {_count(len(sentences), 'sentence')} from {min(sentences):.2f} to "
        f"{max(sentences):.2f}, {_count(len(windows), 'window')} from {min(windows):.2f} to "
        f"{max(windows):.2f}"
    )


def _bar(sentence: Passage, number: int) -> str:
    side = "m" if sentence.probability >= MACHINE_FROM else "h"
    height = _HEIGHT * sentence.probability
    return (
        f'<rect class="{side}" x="{sentence.first}" y="{_HEIGHT - height:.1f}" '
        f'width="{sentence.last - sentence.first}" height="{height:.1f}">'
        f"<title>sentence {number}: {sentence.probability:.2f}</title></rect>"
    )


def _line(window: Passage, number: int) -> str:
    y = _HEIGHT * (1 - window.probability)
    doubtful = ' class="doubt"' if window.doubts else ""
    return (
        f'<line{doubtful} x1="{window.first}" x2="{window.last}" y1="{y:.1f}" y2="{y:.1f}">'
        f"<title>window {number}, tokens {window.first + 1:,} to {window.last:,}: "
        f"{window.probability:.2f}</title></line>"
    )


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
