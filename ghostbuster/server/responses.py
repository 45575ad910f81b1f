"""Answers in JSON."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

from ghostbuster.server.problems import MEDIA_TYPE, RequestError
from ghostbuster.system.printable import encodable

JSON = "application/json"


def json_response(value: Any, status: int = 200, media_type: str = JSON) -> Response:
    """An answer in JSON; halves of characters, which UTF-8 cannot hold, are spelled out."""
    return Response(dumped(value), status, media_type=media_type)


def problem_response(problem: RequestError) -> Response:
    """A problem in JSON."""
    made = json_response(problem.as_json(), problem.status, MEDIA_TYPE)
    made.headers.update(problem.headers or {})
    return made


def dumped(value: Any) -> bytes:
    """JSON in UTF-8."""
    return encodable(json.dumps(value, ensure_ascii=False, allow_nan=False)).encode()
