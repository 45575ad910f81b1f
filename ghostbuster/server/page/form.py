"""The page for people: the form, what it starts, and logging in where the server asks for a token."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ghostbuster import __version__
from ghostbuster.report.html.page import render
from ghostbuster.report.wording import percent, promise
from ghostbuster.server.intake.documents import suffixes
from ghostbuster.server.intake.guard import COOKIE, SESSION_SECONDS
from ghostbuster.server.intake.uploads import Upload, receive_upload
from ghostbuster.server.interface.asks import check_length, choice_of
from ghostbuster.server.jobs import Job, Row
from ghostbuster.server.limits import MIB
from ghostbuster.server.problems import RequestError, unprocessable
from ghostbuster.server.scoring.detectors import DetectorFacts
from ghostbuster.server.service import Service

SHEETS = ("report.css", "page.css")
PASTED = "pasted text"
_PATIENCE = 1.5
"""Seconds that a form waits for its results before it shows how far they are."""
_TOKEN_FORM_BYTES = 4_096


def show(service: Service, template: str, status: int = 200, **values: Any) -> Response:
    """A page of the server."""
    shown = {
        "title": "Was it written by a machine?",
        "subject": "the form",
        "version": __version__,
        "detector": service.detectors[0],
        "is_local": service.is_local,
        "hours": "an hour",
        "links": (),
        "can_log_out": service.access.token is not None,
        "problem": None,
    }
    return HTMLResponse(render(template, sheets=SHEETS, **{**shown, **values}), status)


async def front(service: Service, request: Request) -> Response:
    """The form."""
    options = request.query_params
    chosen = service.detectors[choice_of({"detector": options.get("detector")}, service.detectors).detector]
    return form_page(service, chosen, {})


def form_page(
    service: Service, detector: DetectorFacts, given: Mapping[str, str], problem: RequestError | None = None
) -> Response:
    """The form, with what was given in it where that did not work."""
    default = detector.threshold(None, detector.max_fpr)
    return show(
        service,
        "front.html",
        200 if problem is None else problem.status,
        detector=detector,
        detectors=service.detectors,
        suffixes=suffixes(),
        most_megabytes=service.limits.body_bytes // MIB,
        rates=_rates(detector),
        register=given.get("register", ""),
        max_fpr=given.get("max_fpr", f"{detector.max_fpr:g}"),
        text=given.get("text", ""),
        whole="whole" in given,
        promises=_promises(detector),
        promise=promise(default),
        problem=problem,
    )


async def create(service: Service, request: Request) -> Response:
    """Begin what a form asks for, and lead to its results."""
    async with receive_upload(request, service.bodies, service.limits) as upload:
        try:
            choice = choice_of(
                {name: upload.fields.get(name) or None for name in ("detector", "register", "max_fpr")},
                service.detectors,
            )
            job = service.jobs.add(_rows(upload, service), choice, whole="whole" in upload.fields)
        except RequestError as problem:
            name = upload.fields.get("detector")
            known = next((one for one in service.detectors if one.name == name), service.detectors[0])
            made = form_page(service, known, upload.fields, problem)
            made.headers.update(problem.headers or {})
            return made
    if job.task is not None:
        await asyncio.wait([job.task], timeout=_PATIENCE)
    return RedirectResponse(result_address(job), 303)


def result_address(job: Job) -> str:
    """Where the results of a job are: those of a single text are its report."""
    alone = job.state == "done" and len(job.rows) == 1 and bool(job.rows[0].detail)
    return f"/jobs/{job.key}/texts/1" if alone else f"/jobs/{job.key}"


def _rows(upload: Upload, service: Service) -> list[Row]:
    text = upload.fields.get("text", "")
    rows = [Row(name, data) for name, data in upload.files]
    if text.strip():
        check_length(text, "the text", service.limits)
        rows.insert(0, Row(PASTED, text))
    if not rows:
        raise unprocessable("nothing was given", "a text or documents", "paste a text, or choose files")
    return rows


def _rates(detector: DetectorFacts) -> list[dict[str, Any]]:
    """Promised rates, each with the registers that have it; the empty one is any."""
    found: dict[float, list[str]] = {}
    for register, thresholds in detector.thresholds.items():
        for one in thresholds:
            found.setdefault(one.rate, []).append(register or "")
    return [
        {"value": f"{rate:g}", "says": f"at most {percent(rate)}", "registers": registers}
        for rate, registers in found.items()
    ]


def _promises(detector: DetectorFacts) -> list[dict[str, str]]:
    return [
        {
            "register": register or "any",
            "rate": percent(one.rate),
            "probability": f"{one.probability:.3f}" if one.probability <= 1 else "never",
            "fpr": percent(one.fpr.value),
            "interval": f"{percent(one.fpr.low)} to {percent(one.fpr.high)}",
            "n_human": f"{one.n_human:,}",
        }
        for register, thresholds in detector.thresholds.items()
        for one in thresholds
    ]


async def login_form(service: Service, _request: Request) -> Response:
    """Where the token is asked for."""
    return login_page(service)


def login_page(service: Service, problem: str | None = None, status: int = 200) -> Response:
    """The form that asks for the token; says nothing of what the server has."""
    title = "Log in"
    return show(service, "login.html", status, title=title, detector=None, can_log_out=False, problem=problem)


async def login(service: Service, request: Request) -> Response:
    """Remember a browser whose user knows the token."""
    if service.access.token is None:
        return RedirectResponse("/", 303)
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _TOKEN_FORM_BYTES:
            raise RequestError(413, "the token", "a short one", "send the token itself")
    given = parse_qs(body.decode("utf-8", "replace")).get("token", [""])[0]
    if not service.access.is_token(given.strip()):
        return login_page(service, "That is not the token of this server.", 401)
    response = RedirectResponse("/", 303)
    response.set_cookie(
        COOKIE,
        service.access.new_session(),
        max_age=SESSION_SECONDS,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response


async def logout(_service: Service, _request: Request) -> Response:
    """Forget a browser."""
    response = RedirectResponse("/login", 303)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return response
