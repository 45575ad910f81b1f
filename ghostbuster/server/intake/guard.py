"""Who may ask: hosts, origins, the token; and headers that bound what a browser does with the answers."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ghostbuster.server.limits import Limits
from ghostbuster.server.problems import RequestError, bad_request, unavailable

COOKIE = "ghostbuster"
SESSION_SECONDS = 12 * 3600
OPEN_TO_ALL = ("/healthz", "/login")
"""Paths that ask for no token; so do static files, which hold nothing of anybody."""
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

Refuse = Callable[[Scope, RequestError], Response]


@dataclass(frozen=True)
class Access:
    """Who may ask.

    Parameters
    ----------
    hosts : frozenset of str
        Names that the ``Host`` header may give, without port; lower case.
    any_address : bool
        Whether it may also give any IP address: names can be pointed here by others, addresses cannot.
    token : str or None
        What a client from elsewhere has to know.
    """

    hosts: frozenset[str]
    any_address: bool = False
    token: str | None = None
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def knows_host(self, header: str) -> bool:
        """Whether a ``Host`` header names this server."""
        name = host_name(header)
        if name in self.hosts:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return self.any_address

    def is_token(self, given: str) -> bool:
        """Whether that is the token; takes the same time for every wrong one."""
        expected = hashlib.sha256((self.token or "").encode()).digest()
        found = hashlib.sha256(given.encode("utf-8", "surrogateescape")).digest()
        return hmac.compare_digest(expected, found) and self.token is not None

    def new_session(self) -> str:
        """What the cookie of a browser says whose user gave the token."""
        until = str(int(time.monotonic()) + SESSION_SECONDS)
        return f"{until}.{self._signature(until)}"

    def allows(self, headers: Headers) -> bool:
        """Whether a request comes with the token, or from a browser where it was given."""
        if self.token is None:
            return True
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if given:
            return scheme.lower() == "bearer" and self.is_token(given.strip())
        return self._is_session(headers.get("cookie", ""))

    def _is_session(self, cookies: str) -> bool:
        try:
            found = SimpleCookie(cookies).get(COOKIE)
        except CookieError:
            return False
        until, _, signature = (found.value if found else "").partition(".")
        fresh = until.isascii() and until.isdigit() and int(until[:20]) > time.monotonic()
        return (
            hmac.compare_digest(self._signature(until), signature.encode("ascii", "replace").decode())
            and fresh
        )

    def _signature(self, until: str) -> str:
        return hmac.new(self._key, until.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()


def host_name(header: str) -> str:
    """Name or address of a ``Host`` header or of an origin, without port and brackets."""
    rest = header.strip().lower()
    if rest.startswith("["):
        return rest[1:].partition("]")[0]
    return rest.rpartition(":")[0] if rest.count(":") == 1 else rest


class Guard:
    """An ASGI application around another: refuses what may not be asked, adds headers to what is answered.

    Parameters
    ----------
    app : ASGI application
    access : Access
    limits : Limits
    headers : mapping of str to str
        Of every answer.
    refuse : callable
        Makes the answer for a `RequestError`.
    """

    def __init__(
        self, app: ASGIApp, access: Access, limits: Limits, headers: Mapping[str, str], refuse: Refuse
    ) -> None:
        self._app, self._access, self._limits = app, access, limits
        self._headers, self._refuse = headers, refuse
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def say(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        self._running += 1
        try:
            self._check(scope)
            await self._app(scope, receive, say)
        except RequestError as problem:
            if not begun:
                await self._refuse(scope, problem)(scope, receive, say)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not tell of a text
            log_without_words(error)
            if not begun:
                await self._refuse(scope, UNFORESEEN)(scope, receive, say)
        finally:
            self._running -= 1

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        if len(scope["headers"]) > self._limits.headers:
            raise RequestError(431, "the head", f"at most {self._limits.headers} headers", "send fewer")
        if self._running > self._limits.requests:
            raise unavailable("too many requests are being answered")
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._access.knows_host(hosts[0]):
            raise bad_request(
                "the Host header",
                "a name of this server",
                "use its address, or start it with --allowed-host NAME",
            )
        if scope["method"] not in SAFE_METHODS:
            self._check_origin(headers, hosts[0])
        path = scope["path"]
        if path in OPEN_TO_ALL or path.startswith("/static/"):
            return
        if not self._access.allows(headers):
            raise RequestError(
                401,
                "the request",
                "the server's token",
                "send it as `Authorization: Bearer TOKEN`",
                {"WWW-Authenticate": 'Bearer realm="ghostbuster"'},
            )

    @staticmethod
    def _check_origin(headers: Headers, host: str) -> None:
        """A page of another site may not have its visitors' browsers post here."""
        origin = headers.get("origin")
        site = headers.get("sec-fetch-site", "none")
        _, found, authority = (origin or "").partition("://")
        same = origin is None or (bool(found) and authority.lower() == host.strip().lower())
        if not same or site not in {"same-origin", "none"}:
            raise RequestError(
                403, "the Origin header", "this server's own", "send it from the server's own page"
            )


UNFORESEEN = RequestError(500, "the server", "an answer", "send it again; if it stays so, report it")
"""What is answered when something goes wrong that nobody thought of."""


def log_without_words(error: Exception) -> None:
    """Print where an error arose, without its words: they may be a text's."""
    where: Iterable[traceback.FrameSummary] = traceback.extract_tb(error.__traceback__)[-4:]
    places = " < ".join(f"{frame.name} ({frame.filename}:{frame.lineno})" for frame in reversed(list(where)))
    print(f"ghostbuster: error: {type(error).__name__} in {places}", file=sys.stderr, flush=True)  # noqa: T201
