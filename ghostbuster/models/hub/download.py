"""Download models from the Hugging Face hub: resumable, and checked by SHA-256 before use.

`huggingface_hub` restarts an interrupted download and compares sizes, not digests. So the file is written
to its cache under a temporary name, a retry resumes it, and only the right SHA-256 gives it its final name.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ghostbuster.errors import ModelError, SettingError
from ghostbuster.models.gguf.check import check_model
from ghostbuster.models.gguf.digest import read_digest
from ghostbuster.models.hub.catalog import KnownModel, known_model
from ghostbuster.models.hub.pulled import PulledModel, read_record, record_path, writable_path, write_record

_SHA256 = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class HubFile:
    """A file as the hub describes it: SHA-256, size in bytes, and commit."""

    sha256: str
    size: int
    commit: str


def pull(name: str, revision: str | None = None, *, quiet: bool = False) -> PulledModel:
    """Download a model of the catalog, check it and record it; one that is in the cache is only checked.

    Parameters
    ----------
    name : str
        A row of the catalog.
    revision : str, optional
        Branch, tag or commit in place of the pinned one.
    quiet : bool
        Show no progress.

    Raises
    ------
    SettingError
        When no model has that name, or ``huggingface_hub`` is not installed.
    ModelError
        When the hub cannot be reached or has no such file, when a digest is not the expected one, or when the
        file is no Llama-family model.
    """
    row = known_model(name)
    with _hub_errors(row):
        writable_path(name)  # before anything is fetched
        wanted = revision or row.revision
        path = _cached(row, wanted)
        if path is None:
            served = _hub_file(row, wanted)
            _check_pinned_digest(name, row, served)
            path = _download(row, served, quiet=quiet)
            expected, commit = served.sha256, served.commit
        else:
            expected, commit = _expected_digest(name, row, path), path.parent.name
    digest = read_digest(path)
    if digest != expected:
        raise ModelError(
            f"{path} has SHA-256 {digest[:12]}..., expected {expected[:12]}...: the hub's cache holds "
            f"another file than it says; remove it there and pull {name} again"
        )
    check_model(path)
    record = PulledModel(name, row.repository, row.file, commit, digest, path.stat().st_size, str(path))
    write_record(record)
    return record


def _cached(row: KnownModel, revision: str) -> Path | None:
    """The file in the hub's own cache, if it is there and cannot be out of date.

    Raises
    ------
    ModelError
        When it is not there and the hub must not be asked.
    """
    hub = _hub()
    offline = bool(hub.constants.HF_HUB_OFFLINE)
    if offline or _COMMIT.fullmatch(revision):
        found = hub.try_to_load_from_cache(row.repository, row.file, cache_dir=_cache(), revision=revision)
        if isinstance(found, str):
            return Path(found)
    if offline:
        raise ModelError(
            f"{row.file} is not in the hub's cache {_cache()} and HF_HUB_OFFLINE is set: unset it for the "
            "download, or copy the cache from a machine that has the file"
        )
    return None


def _expected_digest(name: str, row: KnownModel, path: Path) -> str:
    """Digest of a file that is in the hub's cache already: pinned, recorded, or the name the hub gave it."""
    record = read_record(name)
    if row.sha256:
        return row.sha256
    if record is not None and record.revision == path.parent.name:
        return record.sha256
    if _SHA256.fullmatch(path.resolve().name):
        return path.resolve().name
    return _hub_file(row, path.parent.name).sha256  # file systems without links keep no such name


def _hub_file(row: KnownModel, revision: str) -> HubFile:
    """Ask the hub for digest, size and commit of the file at a revision.

    Raises
    ------
    ModelError
        When it gives no SHA-256: only files in large file storage have one.
    """
    hub = _hub()
    url = hub.hf_hub_url(row.repository, row.file, revision=revision, endpoint=_endpoint())
    found = hub.get_hf_file_metadata(url, endpoint=_endpoint())
    if not _SHA256.fullmatch(found.etag or "") or found.size is None or not found.commit_hash:
        raise ModelError(
            f"{url}: the hub gives no SHA-256 of the file, so it cannot be checked; expected one in large "
            "file storage: get it by hand and pass it as --weak-model or --strong-model"
        )
    return HubFile(found.etag, found.size, found.commit_hash)


def _check_pinned_digest(name: str, row: KnownModel, served: HubFile) -> None:
    """Refuse, before the download, a digest that is not the pinned or recorded one of this revision."""
    record = read_record(name)
    known = {row.revision: row.sha256} if row.sha256 else {}
    if record is not None:
        known.setdefault(record.revision, record.sha256)
    expected = known.get(served.commit, served.sha256)
    if served.sha256 != expected:
        raise ModelError(
            f"the hub now gives {row.file} at {served.commit[:12]} the SHA-256 {served.sha256[:12]}..., "
            f"expected {expected[:12]}... as recorded in {record_path(name)}: a commit never changes, so do "
            "not trust it; remove the record if you know better"
        )


def _download(row: KnownModel, served: HubFile, *, quiet: bool) -> Path:
    """Download the file into the hub's cache, check its digest, and return its path there."""
    hub = _hub()
    blobs = _cache() / f"models--{row.repository.replace('/', '--')}" / "blobs"
    blob, part = blobs / served.sha256, blobs / f"{served.sha256}.ghostbuster-part"
    blobs.mkdir(parents=True, exist_ok=True)
    with _download_lock(part), _progress(quiet=quiet):
        if not blob.exists():
            _resume_download(row, served, part)
            digest = read_digest(part)
            if digest != served.sha256:
                part.unlink()
                raise ModelError(
                    f"{row.file}: what arrived has SHA-256 {digest[:12]}..., expected "
                    f"{served.sha256[:12]}... as the hub says: it was thrown away; pull again, and if that "
                    "fails too do not trust the server"
                )
            part.replace(blob)
        shown = hub.hf_hub_download(
            row.repository, row.file, revision=served.commit, cache_dir=_cache(), endpoint=_endpoint()
        )
    return Path(shown)


def _resume_download(row: KnownModel, served: HubFile, part: Path) -> None:
    """Append to ``part`` the bytes that it lacks."""
    from huggingface_hub.file_download import http_get

    url = _hub().hf_hub_url(row.repository, row.file, revision=served.commit, endpoint=_endpoint())
    have = part.stat().st_size if part.exists() else 0
    if have > served.size:
        part.unlink()
        have = 0
    with part.open("ab") as handle:
        http_get(
            url,
            handle,
            resume_size=have,
            headers=_hub().utils.build_hf_headers(),
            expected_size=served.size,
            displayed_filename=row.file,
        )


@contextmanager
def _download_lock(part: Path) -> Iterator[None]:
    """A file lock: one process at a time writes to ``part``."""
    from filelock import FileLock  # what huggingface_hub itself locks with

    with FileLock(f"{part}.lock"):
        yield


@contextmanager
def _progress(*, quiet: bool) -> Iterator[None]:
    """The hub's own progress bars, on a terminal only."""
    utils = _hub().utils
    if utils.are_progress_bars_disabled() or not (quiet or not sys.stderr.isatty()):
        yield
        return
    utils.disable_progress_bars()
    watched = utils.tqdm.monitor_interval
    utils.tqdm.monitor_interval = 0  # no thread that watches bars nobody sees: without memory it never starts
    try:
        yield
    finally:
        utils.tqdm.monitor_interval = watched
        utils.enable_progress_bars()


@contextmanager
def _hub_errors(row: KnownModel) -> Iterator[None]:
    """Turn errors of the hub and the network into a `ModelError`."""
    errors = _hub().errors
    # the class at the root of the library's own network errors, whose package changes between versions
    network = next(one for one in errors.HfHubHTTPError.__mro__ if one.__name__ == "HTTPError")
    place = f"{_endpoint() or _hub().constants.ENDPOINT}/{row.repository}"
    try:
        yield
    except (errors.EntryNotFoundError, errors.RevisionNotFoundError) as error:
        raise ModelError(
            f"{place} has no {row.file} at this revision: give another with --revision, such as main"
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise ModelError(
            f"{place} is not there, or not for you: accept its terms on the hub, then `hf auth login`"
        ) from error
    except (OSError, network) as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(
            f"{row.file} could not be downloaded from {place} ({first}): pull again to go on, what has "
            "arrived is kept"
        ) from error


def _hub() -> Any:
    """The ``huggingface_hub`` package.

    Raises
    ------
    SettingError
        When it is not installed.
    """
    try:
        import huggingface_hub
        import huggingface_hub.constants
        import huggingface_hub.errors
        import huggingface_hub.utils
    except ModuleNotFoundError:  # another kind of ImportError means no memory, or a damaged library
        raise SettingError(
            "models come through huggingface_hub, which is not installed: pip install 'ghostbuster[hub]'"
        ) from None
    return huggingface_hub


def _cache() -> Path:
    return Path(_hub().constants.HF_HUB_CACHE)


def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT") or None
