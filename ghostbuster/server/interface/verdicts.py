"""The interface for programs: ``/v1/verdicts``, ``/v1/detector``, ``/healthz``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ghostbuster.errors import GhostbusterError
from ghostbuster.server.intake.uploads import receive_upload
from ghostbuster.server.interface.asks import (
    OPTIONS,
    ask_of,
    asks_of_json,
    check_count,
    check_length,
    choice_of,
    flag,
    parse_json,
    plain_text,
)
from ghostbuster.server.problems import RequestError, bad_request, quoted, unprocessable
from ghostbuster.server.responses import JSON, dumped, json_response
from ghostbuster.server.scoring.judging import Entry, Judging
from ghostbuster.server.scoring.scoring_child import Answer, Ask
from ghostbuster.server.service import Service
from ghostbuster.system.printable import encodable

NDJSON = "application/x-ndjson"
PLAIN = "text/plain"
MULTIPART = "multipart/form-data"

Respond = Callable[[Service, Request], Awaitable[Response]]


async def verdicts(service: Service, request: Request) -> Response:
    """A verdict for each text of the body.

    Raises
    ------
    RequestError
        With the right status.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.headers.get("content-encoding", "identity") != "identity":
        raise RequestError(415, "the Content-Encoding", "none", "send the body as it is, not compressed")
    if kind not in BY_KIND:
        raise RequestError(
            415, f"the Content-Type {quoted(kind)}", f"one of {', '.join(BY_KIND)}", "send such a body"
        )
    return await BY_KIND[kind](service, request)


async def _json(service: Service, request: Request) -> Response:
    async with service.bodies.receive(request) as body:
        asks, alone = asks_of_json(body, service.detectors, service.limits)
        answers = await _all(service, request, asks)
    return json_response(_alone(answers[0]) if alone else [_record(answer) for answer in answers])


async def _plain(service: Service, request: Request) -> Response:
    options = query_options(request, "path")
    async with service.bodies.receive(request) as body:
        text = plain_text(body)
        check_length(text, "the text", service.limits)
        choice = choice_of(options, service.detectors)
        asks = [Ask(text, encodable(options.get("path", "-")), choice)]
        return json_response(_alone((await _all(service, request, asks))[0]))


async def _documents(service: Service, request: Request) -> Response:
    async with receive_upload(request, service.bodies, service.limits) as upload:
        options = query_options(request, "whole") | upload.fields
        choice, whole = choice_of(options, service.detectors), flag(options, "whole")
        check_count(len(upload.files), service.limits)
        entries: list[Entry] = []
        for name, data in upload.files:
            try:
                read = await service.documents.read(name, data, whole=whole)
                check_length(read.text, name, service.limits)
                entries.append(Ask(read.text, name, choice, document=read))
            except GhostbusterError as error:
                entries.append(error)
        return json_response(
            [
                {"path": name} | _record(answer)
                for (name, _), answer in zip(upload.files, await _all(service, request, entries), strict=True)
            ]
        )


async def _lines(service: Service, request: Request) -> Response:
    choice = choice_of(query_options(request), service.detectors)

    async def entries() -> AsyncIterator[Entry]:
        async for line in service.bodies.lines(request):
            try:
                yield ask_of(parse_json(line, "the line"), "", choice, service.limits)
            except RequestError as problem:
                yield problem

    found = Judging(service.queue, entries(), service.limits.window).answers()
    first = await anext(found, None)  # a queue that is full is said by the status

    async def lines() -> AsyncGenerator[bytes, None]:
        number = 0
        try:
            if first is not None:
                number = 1
                yield _line(number, first)
            async for answer in found:
                number += 1
                yield _line(number, answer)
        except RequestError as problem:
            yield _line(number + 1, problem)
        finally:
            await found.aclose()

    return _Lines(lines())


class _Lines(Response):
    """Lines as they come. Starlette's own streaming response would take the body's parts for its own."""

    media_type = NDJSON

    def __init__(self, lines: AsyncGenerator[bytes, None]) -> None:
        super().__init__()
        del self.headers["content-length"]
        self._made = lines

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async with aclosing(self._made) as made:
            async for line in made:
                await send({"type": "http.response.body", "body": line, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


BY_KIND: dict[str, Respond] = {JSON: _json, NDJSON: _lines, PLAIN: _plain, MULTIPART: _documents}
"""Media type of the body to what is done with it."""


async def detector(service: Service, request: Request) -> Response:
    """Facts about a detector, as ``ghostbuster info --format json`` gives them."""
    options = query_options(request, only=("detector",))
    chosen = service.detectors[choice_of(options, service.detectors).detector]
    others = [one.name for one in service.detectors]
    return json_response({**chosen.facts, "name": chosen.name, "detectors": others})


async def health(service: Service, _request: Request) -> Response:
    """Whether texts are taken."""
    ending = service.queue.is_closed
    return json_response({"status": "ending" if ending else "ok"}, 503 if ending else 200)


def query_options(request: Request, *more: str, only: Sequence[str] = OPTIONS) -> dict[str, str]:
    """Options in the address; never a text.

    Raises
    ------
    RequestError
        422 for an option that is not known.
    """
    known = (*only, *more)
    for name in request.query_params:
        if name not in known:
            raise unprocessable(f"option {quoted(name)}", f"one of {', '.join(known)}", "leave it out")
    return dict(request.query_params)


def _alone(answer: Answer | GhostbusterError) -> dict[str, Any]:
    if isinstance(answer, Answer):
        return answer.record
    raise _as_problem(answer)


def _record(answer: Answer | GhostbusterError) -> dict[str, Any]:
    return answer.record if isinstance(answer, Answer) else {"error": _as_problem(answer).as_json()}


def _line(number: int, answer: Answer | GhostbusterError) -> bytes:
    return dumped({"line": number} | _record(answer)) + b"\n"


def _as_problem(error: GhostbusterError) -> RequestError:
    if isinstance(error, RequestError):
        return error
    return unprocessable(str(error), "a text that can be read", "send another")


async def _all(
    service: Service, request: Request, entries: Sequence[Entry]
) -> list[Answer | GhostbusterError]:
    """Answers to all texts, unless the client goes away."""

    async def judge() -> list[Answer | GhostbusterError]:
        judging = Judging(service.queue, entries, service.limits.window)
        return [answer async for answer in judging.answers()]

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    judging, watching = asyncio.create_task(judge()), asyncio.create_task(gone())
    try:
        await asyncio.wait([judging, watching], return_when=asyncio.FIRST_COMPLETED)
        if judging.done():
            return judging.result()
        raise bad_request("the connection", "a client that waits", "wait for the answer")
    finally:
        judging.cancel()
        watching.cancel()
        await asyncio.gather(judging, watching, return_exceptions=True)
