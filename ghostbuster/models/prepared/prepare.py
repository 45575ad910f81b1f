"""Choose the fastest form of a known model within the tolerance, once for a build and a CPU, and serve it."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any, cast

from ghostbuster.errors import ModelError, SettingError
from ghostbuster.models.gguf.check import check_model
from ghostbuster.models.gguf.digest import file_digest
from ghostbuster.models.gguf.model_file import ModelFile
from ghostbuster.models.hub.catalog import CATALOG
from ghostbuster.models.prepared import store
from ghostbuster.models.prepared.convert import UnusableFormError, check_room, convert, read_sample
from ghostbuster.models.prepared.forms import (
    FORMS,
    ORIGINAL,
    Comparison,
    FormName,
    Reading,
    compare,
    fastest,
)
from ghostbuster.models.sandbox.cpu_path import CpuPath, cpu_path
from ghostbuster.models.sandbox.load_check import remember_load
from ghostbuster.registry import unknown

VARIABLE = "GHOSTBUSTER_MODEL_FORM"
AUTO = "auto"

_log = logging.getLogger("ghostbuster")
_lock = RLock()


@dataclass(frozen=True)
class Served:
    """The file to read a model from.

    Attributes
    ----------
    file : ModelFile
    original : Path or None
        The file that this is a form of, itself perhaps; None for a model that is never converted.
    form : str
        A row of `FORMS`, or ``original``.
    """

    file: ModelFile
    original: Path | None
    form: FormName = ORIGINAL


def is_converted(path: Path) -> bool:
    """Whether a model is one of those that are converted: known ones, told by their digests."""
    pinned = {row.sha256 for row in CATALOG.values() if row.converted}
    sizes = {row.n_bytes for row in CATALOG.values() if row.converted}
    return path.is_file() and path.stat().st_size in sizes and file_digest(path) in pinned


def serve(path: Path, *, on_card: bool = False) -> Served:
    """The file to read a model from: its fastest form, made now if need be, or the file as it is.

    What keeps it from being converted is told by the logger ``ghostbuster``, and costs speed alone.

    Parameters
    ----------
    path : Path
        A GGUF model.
    on_card : bool
        Whether a graphics card is to read it: forms are measured on the CPU, so it gets the file as it is.

    Raises
    ------
    SettingError
        When ``GHOSTBUSTER_MODEL_FORM`` names no form.
    ModelError
        When the file is missing, damaged or no Llama-family model.
    """
    if not is_converted(path):
        return Served(check_model(path), None)
    wish = form_wish()
    if wish == ORIGINAL or (on_card and wish == AUTO):
        return Served(check_model(path), path)
    with _lock:
        try:
            form = prepare(path) if wish == AUTO else _made(path, cast("FormName", wish))
        except ModelError as error:
            _log.warning("%s: read as it is, which is slower, for no other form can be kept: %s", path, error)
            form = ORIGINAL
    return _served_as(path, form)


def current(path: Path) -> Served | None:
    """What `serve` would give without converting anything; None where that is not known yet."""
    if not is_converted(path):
        return Served(check_model(path), None)
    form = _standing(file_digest(path))
    return None if form is None else _served_as(path, form)


def _served_as(path: Path, form: FormName) -> Served:
    """A form that was made before; the file as it is where it is gone."""
    made = None if form == ORIGINAL else store.converted(file_digest(path), form)
    return Served(check_model(path), path) if made is None else Served(check_model(made), path, form)


def prepare(path: Path, *, again: bool = False) -> FormName:
    """Choose a form and make it, unless that was done; other processes wait.

    Parameters
    ----------
    path : Path
        A file that `is_converted`.
    again : bool, default False
        Measure all forms anew.

    Raises
    ------
    ModelError
        When nothing can be kept: no room, no right to write, another process that does not end.
    """
    digest = file_digest(path)
    if not again and (form := _standing(digest)):
        return form
    with store.alone():
        if not again and (form := _standing(digest)):  # another process was quicker
            return form
        form = None if again else store.chosen(digest)
        if form is None:
            _log.info("%s: converting it for this machine, once; about 20 seconds", path.name)
            form = _choose(check_model(path), digest)
        elif form != ORIGINAL:
            _make(check_model(path), digest, form)
        return form


def read_as(digest: str) -> FormName | None:
    """The form that the model with this digest is read in; None before that was chosen."""
    return _standing(digest)


def form_facts(path: Path) -> dict[str, Any]:
    """The form that a prepared model is read in, and what it was chosen from, for JSON.

    Returns
    -------
    dict
        ``form``; ``path``, of the file that is read; ``compared``, an entry a form: ``form``, ``cpu_path``,
        ``speed`` (tokens/s over the original's), the distances ``text``, ``mean`` and ``worst`` (nats) from
        the original's log-probs on a sample, and the ``reason`` why it cannot be used, empty where it can.
    """
    served = current(path) or Served(check_model(path), path)
    return {
        "form": served.form,
        "path": str(served.file.path),
        "compared": store.comparisons(file_digest(path)),
    }


def _standing(digest: str) -> FormName | None:
    """The chosen form, if it is there."""
    form = store.chosen(digest)
    return form if form == ORIGINAL or (form and store.converted(digest, form)) else None


def _choose(file: ModelFile, digest: str) -> FormName:
    """Make and measure one form after another, keep the fastest, and remember that.

    Raises
    ------
    ModelError
        When no form is faster than the file as it is, and one of them had no room.
    """
    check_room(file, min(FORMS, key=lambda name: FORMS[name].bits), store.folder())
    reference = read_sample(file, "safe")
    compared = [compare(ORIGINAL, "safe", reference, reference)]
    refused: ModelError | None = None
    for form in FORMS:
        try:
            found = _measured(file, digest, form, reference)
        except ModelError as error:
            found = Comparison(form, "safe", reason=str(error))
            refused = refused if isinstance(error, UnusableFormError) else error
        best = fastest(compared)
        compared.append(found)
        slower = found if fastest(compared) is best else best
        if slower.form != ORIGINAL:
            store.discard(digest, slower.form)
    best = fastest(compared)
    if refused is not None:
        if best.form == ORIGINAL:
            raise refused
        _log.warning(
            "%s: read as %s from now on, though %s; `ghostbuster models prepare --again` measures anew",
            file.path.name,
            best.form,
            refused,
        )
    if best.form != ORIGINAL:
        remember_load(file_digest(store.converted_path(digest, best.form)))
    store.choose(digest, best.form, compared)
    return best.form


def _measured(file: ModelFile, digest: str, form: FormName, reference: Reading) -> Comparison:
    made = check_model(_make(file, digest, form))
    path: CpuPath = cpu_path(made).path
    return compare(form, path, read_sample(made, path), reference)


def _make(file: ModelFile, digest: str, form: FormName) -> Path:
    """The converted file, made unless it is there."""
    standing = store.converted(digest, form)
    if standing is not None:
        return standing
    with store.converting(digest, form) as temporary:
        convert(file, form, temporary)
    return store.converted_path(digest, form)


def _made(path: Path, form: FormName) -> FormName:
    """A form that a user asks for, whatever its speed."""
    digest = file_digest(path)
    if store.converted(digest, form) is None:
        with store.alone():
            _make(check_model(path), digest, form)
    return form


def form_wish() -> str:
    """What ``GHOSTBUSTER_MODEL_FORM`` asks for; ``auto`` by default.

    Raises
    ------
    SettingError
        When it names no form.
    """
    wish = os.environ.get(VARIABLE) or AUTO
    names = {name.lower(): name for name in (AUTO, ORIGINAL, *FORMS)}
    if wish.lower() not in names:
        raise unknown(wish, names.values(), f"form of a model ({VARIABLE})", SettingError)
    return names[wish.lower()]
