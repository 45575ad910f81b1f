"""The interface described as OpenAPI 3.1."""

from __future__ import annotations

from typing import Any

from ghostbuster import __version__
from ghostbuster.server.interface.schemas import OPTIONS, PATH, SCHEMAS, TEXT, WHOLE
from ghostbuster.server.problems import MEDIA_TYPE

_STATUSES = {
    400: "The body or its head cannot be understood.",
    401: "The token is missing or wrong.",
    403: "The request comes from another site's page.",
    408: "The body came too slowly.",
    413: "A text or the body is too long, or there are too many.",
    415: "The body is of no kind that is read, or compressed.",
    422: "A field, a detector, a register or a rate that is not there, or a document that cannot be read.",
    429: "The queue is full; Retry-After says when to come again.",
    431: "Too many headers.",
    500: "The server failed.",
    503: "The server is starting, ending or short of memory; Retry-After says when to come again.",
}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _problems(*statuses: int) -> dict[str, Any]:
    return {
        str(status): {
            "description": _STATUSES[status],
            "content": {MEDIA_TYPE: {"schema": _ref("Problem")}},
            **(
                {"headers": {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}}
                if status in {429, 503}
                else {}
            ),
        }
        for status in statuses
    }


def _query(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema}


_MANY = {"type": "array", "items": {"oneOf": [_ref("Verdict"), _ref("Unread")]}}
_FORM = {
    "type": "object",
    "properties": {
        "files": {
            "type": "array",
            "items": {"type": "string", "contentMediaType": "application/octet-stream"},
        },
        **OPTIONS,
        "whole": WHOLE,
    },
}

_VERDICTS = {
    "summary": "A verdict for each text of the body.",
    "operationId": "verdicts",
    "description": (
        "JSON holds one text or many, `text/plain` is one, a form holds documents. NDJSON holds a text "
        "a line and may never end: each line is answered by one, in order, with its number, while later "
        "ones are still being sent. Options stand beside the texts in JSON, in the address otherwise."
    ),
    "parameters": [
        *(_query(name, schema) for name, schema in OPTIONS.items()),
        _query("path", PATH),
        _query("whole", WHOLE),
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"oneOf": [_ref("OneText"), _ref("ManyTexts")]}},
            "application/x-ndjson": {"schema": _ref("Text")},
            "text/plain": {"schema": TEXT},
            "multipart/form-data": {"schema": _FORM},
        },
    },
    "responses": {
        "200": {
            "description": "An object for one text, an array for many and for documents, a line a line.",
            "content": {
                "application/json": {"schema": {"oneOf": [_ref("Verdict"), _MANY]}},
                "application/x-ndjson": {"schema": {"oneOf": [_ref("Verdict"), _ref("Unread")]}},
            },
        },
        **_problems(400, 401, 403, 408, 413, 415, 422, 429, 431, 500, 503),
    },
}

_DETECTOR = {
    "summary": "What made a detector, and what it promises.",
    "operationId": "detector",
    "parameters": [_query("detector", OPTIONS["detector"])],
    "responses": {
        "200": {
            "description": "What `ghostbuster info --format json` prints, with `name` and `detectors`.",
            "content": {
                "application/json": {"schema": {"type": "object", "required": ["name", "detectors"]}}
            },
        },
        **_problems(400, 401, 422, 431, 500, 503),
    },
}

_HEALTH = {
    "summary": "Whether texts are taken; needs no token.",
    "operationId": "health",
    "security": [],
    "responses": {
        str(status): {
            "description": said,
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["status"],
                        "properties": {"status": {"enum": ["ok", "ending"]}},
                    }
                }
            },
        }
        for status, said in ((200, "Texts are taken."), (503, "The server is ending."))
    },
}

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {
        "title": "ghostbuster",
        "version": __version__,
        "description": "How likely a machine wrote a text, and how often that is wrong about people.",
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    },
    "security": [{}, {"token": []}],
    "paths": {
        "/v1/verdicts": {"post": _VERDICTS},
        "/v1/detector": {"get": _DETECTOR},
        "/healthz": {"get": _HEALTH},
    },
    "components": {
        "schemas": SCHEMAS,
        "securitySchemes": {
            "token": {
                "type": "http",
                "scheme": "bearer",
                "description": "Of --token-file, where it has one.",
            }
        },
    },
}
