"""Errors of the interface as problem documents: culprit, expectation, remedy and status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from ghostbuster.errors import GhostbusterError
from ghostbuster.system.printable import encodable, printable

MEDIA_TYPE = "application/problem+json"
_SHOWN = 200
"""Characters of what a client sent that an answer repeats at most."""


@dataclass(eq=False)
class RequestError(GhostbusterError):
    """A request that is not answered with what it asks for.

    Parameters
    ----------
    status : int
        Of HTTP.
    culprit : str
        The part of the request, or of the server, that is at fault.
    expectation : str
        What was expected of it.
    remedy : str
        What to do.
    headers : mapping of str to str
        More headers of the answer, such as ``Retry-After``.
    """

    status: int
    culprit: str
    expectation: str
    remedy: str
    headers: Mapping[str, str] | None = None

    def __str__(self) -> str:
        """The problem in one sentence."""
        return f"{self.culprit}: expected {self.expectation}; {self.remedy}"

    def as_json(self) -> dict[str, Any]:
        """The document that RFC 9457 describes, with members for culprit, expectation and remedy."""
        return {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": str(self),
            "culprit": self.culprit,
            "expectation": self.expectation,
            "remedy": self.remedy,
        }


def quoted(value: str) -> str:
    """What a client sent, short enough and safe to be repeated in an answer."""
    shown = value if len(value) <= _SHOWN else value[:_SHOWN] + "..."
    return repr(encodable(printable(shown)))


def bad_request(culprit: str, expectation: str, remedy: str) -> RequestError:
    """400: the request cannot be understood."""
    return RequestError(400, culprit, expectation, remedy)


def unprocessable(culprit: str, expectation: str, remedy: str) -> RequestError:
    """422: the request is understood, and asks for what cannot be done."""
    return RequestError(422, culprit, expectation, remedy)


def too_large(culprit: str, expectation: str, remedy: str) -> RequestError:
    """413: more than the server takes in."""
    return RequestError(413, culprit, expectation, remedy)


def queue_full(seconds: int) -> RequestError:
    """429: more texts wait than the queue holds."""
    return RequestError(
        429,
        "the queue is full",
        "room for this text",
        f"send it again in {seconds} s",
        {"Retry-After": str(seconds)},
    )


def unavailable(culprit: str, seconds: int = 5) -> RequestError:
    """503: the server cannot answer now, for no fault of the request."""
    return RequestError(
        503,
        culprit,
        "a server that is ready",
        f"send it again in {seconds} s",
        {"Retry-After": str(seconds)},
    )
