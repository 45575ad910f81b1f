"""What a person can see: letters large enough, in a colour that differs from what is behind them."""

from __future__ import annotations

LEAST_POINTS = 2.0
"""Letters of this size (points, 1/72 inch) or less are dust; the small print of contracts has 4 to 6."""
LEAST_CONTRAST = 1.2
"""Contrast ratio below which letters cannot be told from what is behind them; readable print has 4.5."""
LEAST_ALPHA = 0.06
"""Opacity at or below which a colour does not show."""

Rgb = tuple[float, float, float]
WHITE: Rgb = (1.0, 1.0, 1.0)


def contrast(one: Rgb, other: Rgb) -> float:
    """Contrast ratio of two colours, 1 to 21, as WCAG 2.2 defines it (relative luminance)."""
    dark, bright = sorted((_luminance(one), _luminance(other)))
    return (bright + 0.05) / (dark + 0.05)


def is_readable(letters: Rgb, behind: Rgb) -> bool:
    """Whether letters of one colour show on the other: by brightness, or by hue where that is alike."""
    far = max(abs(a - b) for a, b in zip(letters, behind, strict=True))
    return contrast(letters, behind) >= LEAST_CONTRAST or far > 0.25  # noqa: PLR2004 - red on green


def rgb_of_hex(digits: str | None) -> Rgb | None:
    """Colour of six hexadecimal digits, with or without ``#``; None for anything else."""
    text = (digits or "").lstrip("#")
    try:
        return tuple(int(text[i : i + 2], 16) / 255 for i in (0, 2, 4)) if len(text) == 6 else None  # type: ignore[return-value]  # noqa: PLR2004
    except ValueError:
        return None


def _luminance(colour: Rgb) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]  # noqa: PLR2004
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
