"""Forms with files, received into memory; nothing of them touches a disk."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from ghostbuster.server.intake.bodies import Bodies
from ghostbuster.server.intake.documents import shown_name
from ghostbuster.server.limits import Limits
from ghostbuster.server.problems import RequestError, bad_request, quoted, too_large

_MOST_FIELDS = 20


@dataclass
class Upload:
    """What a form holds.

    Attributes
    ----------
    fields : dict of str to str
    files : list of (str, bytes)
        Names as they are shown, and contents; files that were not chosen are left out.
    """

    fields: dict[str, str] = field(default_factory=dict)
    files: list[tuple[str, bytes]] = field(default_factory=list)


class _InMemory(MultiPartParser):
    spool_max_size = sys.maxsize  # a file would be spooled to the disk


@asynccontextmanager
async def receive_upload(request: Request, bodies: Bodies, limits: Limits) -> AsyncIterator[Upload]:
    """Fields and files of a form, which count as held until the block ends.

    Raises
    ------
    RequestError
        400 for a form that cannot be read, 413 for one that is too large or has too many files, 415 for a
        body of another kind.
    """
    kind = request.headers.get("content-type", "")
    if not kind.lower().startswith("multipart/form-data"):
        raise RequestError(
            415, f"the Content-Type {quoted(kind)}", "multipart/form-data", "send a form with files"
        )
    async with bodies.receive(request) as body:
        yield await _parsed(request, body, limits)


async def _parsed(request: Request, body: bytes, limits: Limits) -> Upload:
    async def stream() -> AsyncGenerator[bytes, None]:
        yield body
        yield b""

    parser = _InMemory(
        request.headers,
        stream(),
        max_files=limits.texts + 1,
        max_fields=_MOST_FIELDS,
        max_part_size=limits.body_bytes,
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        if "files" in error.message:
            raise too_large("the files", f"at most {limits.texts:,}", "send fewer at once") from None
        raise bad_request(
            "the form", "multipart/form-data with a boundary", f"mend it ({error.message})"
        ) from None
    made = Upload()
    try:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                data = await value.read()
                if value.filename or data:
                    made.files.append((shown_name(value.filename or ""), data))
            else:
                made.fields[name] = value
    finally:
        await form.close()
    if len(made.files) > limits.texts:
        raise RequestError(413, "the files", f"at most {limits.texts:,}", "send fewer at once")
    return made
