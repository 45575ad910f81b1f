"""Render a self-contained HTML page from a template, and write it whole or not at all."""

from __future__ import annotations

import base64
import hashlib
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ghostbuster.errors import InputError
from ghostbuster.system.atomic_files import atomic_write, check_writable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
SUFFIXES = (".html", ".htm")
REPORT = ("report.css",)
"""Style sheets of a report."""


def check_page(path: Path, inputs: Iterable[Path] = ()) -> None:
    """Check that a report can be written at ``path``, before any costly work.

    Parameters
    ----------
    path : Path
    inputs : iterable of Path
        Files that were given to read; a report never takes the place of one.

    Raises
    ------
    InputError
        When the name does not end in ``.html``, names an input, or nothing can be written there.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path} is no name of an HTML file: end the report's name in .html")
    check_writable(path, InputError, inputs)


def render(template: str, *, sheets: tuple[str, ...] = REPORT, **values: object) -> str:
    """A page from one of the templates; whatever is not marked as HTML is escaped.

    Parameters
    ----------
    template : str
    sheets : tuple of str
        Style sheets, in order.
    **values : object
        What the template shows.
    """
    shown = {"style": style(sheets), "style_hash": style_hash(sheets), **values}
    return _environment().get_template(template).render(shown)


@cache
def style(sheets: tuple[str, ...] = REPORT) -> str:
    """Style sheets as one text, which stands in the page."""
    return "".join((TEMPLATES / name).read_text("utf-8") for name in sheets)


@cache
def style_hash(sheets: tuple[str, ...] = REPORT) -> str:
    """How a content security policy allows that text, and no other style."""
    digest = hashlib.sha256(style(sheets).encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def write_page(page: str, path: Path) -> None:
    """Write a page whole or not at all.

    Raises
    ------
    InputError
        When the place cannot be written to.
    """
    with atomic_write(path, InputError) as temporary:
        temporary.write_text(page, encoding="utf-8", newline="\n")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from ghostbuster.system.printable import printable

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["printable"] = printable
    return made
