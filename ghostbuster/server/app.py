"""The routes, and the guard around them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Scope

from ghostbuster.report.html.page import TEMPLATES, style_hash
from ghostbuster.server.intake.guard import UNFORESEEN, Guard, log_without_words
from ghostbuster.server.interface import verdicts as interface
from ghostbuster.server.interface.openapi import DOCUMENT
from ghostbuster.server.page import form, results
from ghostbuster.server.problems import RequestError
from ghostbuster.server.responses import json_response, problem_response
from ghostbuster.server.service import Service

Respond = Callable[[Service, Request], Awaitable[Response]]

PROGRAMS = ("/v1/", "/healthz", "/openapi.json")
"""Beginnings of paths that answer in JSON whatever happens."""


async def _openapi(_service: Service, _request: Request) -> Response:
    return json_response(DOCUMENT)


async def _script(_service: Service, _request: Request) -> Response:
    return Response((TEMPLATES / "page.js").read_bytes(), media_type="text/javascript")


ROUTES: tuple[tuple[str, str, Respond], ...] = (
    ("POST", "/v1/verdicts", interface.verdicts),
    ("GET", "/v1/detector", interface.detector),
    ("GET", "/healthz", interface.health),
    ("GET", "/openapi.json", _openapi),
    ("GET", "/", form.front),
    ("GET", "/login", form.login_form),
    ("POST", "/login", form.login),
    ("POST", "/logout", form.logout),
    ("POST", "/jobs", form.create),
    ("GET", "/jobs/{key}", results.job_page),
    ("GET", "/jobs/{key}/progress", results.progress),
    ("POST", "/jobs/{key}/cancel", results.cancel),
    ("POST", "/jobs/{key}/forget", results.forget),
    ("GET", "/jobs/{key}/texts/{number:int}", results.text_report),
    ("GET", "/jobs/{key}/verdicts.{kind}", results.kept),
    ("GET", "/static/page.js", _script),
)
"""Method, path and what answers. To add one, add its row; one of the interface also in ``openapi``."""


def policy() -> str:
    """The content security policy of every page: its own script and styles, and nothing from elsewhere."""
    styles = f"{style_hash()} {style_hash(form.SHEETS)}"
    return (
        f"default-src 'none'; script-src 'self'; connect-src 'self'; form-action 'self'; style-src {styles}; "
        "img-src data:; base-uri 'none'; frame-ancestors 'none'"
    )


def headers() -> dict[str, str]:
    """Headers of every answer."""
    return {
        "Content-Security-Policy": policy(),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }


def application(service: Service) -> ASGIApp:
    """The ASGI application of a service."""

    def refuse(scope: Scope, problem: RequestError) -> Response:
        return _refusal(service, Request(scope), problem)

    async def not_found(request: Request, error: Exception) -> Response:
        return refuse(request.scope, _of_routing(error))

    def route(method: str, path: str, respond: Respond) -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                return await respond(service, request)
            except RequestError as problem:
                return refuse(request.scope, problem)
            except Exception as error:  # noqa: BLE001 - Starlette would log what it says
                log_without_words(error)
                return refuse(request.scope, UNFORESEEN)

        return Route(path, endpoint, methods=[method])

    routes = [route(*row) for row in ROUTES]
    app = Starlette(routes=routes, exception_handlers={HTTPException: not_found})
    app.router.redirect_slashes = False
    return Guard(app, service.access, service.limits, headers(), refuse)


def _of_routing(error: Exception) -> RequestError:
    status = error.status_code if isinstance(error, HTTPException) else 500
    more = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    if status == 405:  # noqa: PLR2004
        return RequestError(405, "the method", f"one of {more.get('Allow', 'another')}", "use that", more)
    return RequestError(status, "the address", "one that is there", "see /openapi.json, or begin at /")


def _refusal(service: Service, request: Request, problem: RequestError) -> Response:
    """A problem as JSON for programs, as a page for people."""
    path = request.url.path
    wants_page = "text/html" in request.headers.get("accept", "")
    if path.startswith(PROGRAMS) or not wants_page:
        return problem_response(problem)
    if problem.status == 401:  # noqa: PLR2004
        return RedirectResponse("/login", 303)
    made = form.show(
        service,
        "problem.html",
        problem.status,
        title="That did not work",
        detector=None,
        problem=problem,
        links=[("Begin again", "/")],
        can_log_out=False,
    )
    made.headers.update(problem.headers or {})
    return made
