"""Objects of the interface as JSON schemas."""

from __future__ import annotations

from typing import Any

TEXT = {"type": "string", "description": "The text, at most a million characters."}
PATH = {"type": "string", "default": "-", "description": "What you call it; the answer repeats it."}
WHOLE = {"enum": ["yes", "no"], "default": "no", "description": "Of documents: judge more than their prose."}
OPTIONS: dict[str, dict[str, Any]] = {
    "detector": {
        "type": "string",
        "description": "Its name, where the server has several; the first by default.",
    },
    "register": {
        "type": "string",
        "description": "Judge by the thresholds of this kind of text, such as essay.",
    },
    "max_fpr": {
        "type": "number",
        "description": "The promised share of people's texts called machine; the detector's by default.",
    },
}
_NULLABLE_NUMBER = {"type": ["number", "null"]}

SCHEMAS: dict[str, dict[str, Any]] = {
    "Verdict": {
        "type": "object",
        "description": "The object that `ghostbuster score-file --format json` prints for a text.",
        "required": [
            "path",
            "probability",
            "label",
            "reasons",
            "n_tokens",
            "n_words",
            "model",
            "device",
            "threshold",
            "readers",
            "evidence",
        ],
        "properties": {
            "path": {"type": "string"},
            "probability": {
                **_NULLABLE_NUMBER,
                "description": "That a machine wrote the text, were machine and human texts equally common.",
            },
            "label": {"enum": ["human", "machine", "unsure"]},
            "reasons": {"type": "array", "items": {"type": "string"}},
            "n_tokens": {"type": "integer"},
            "n_words": {"type": "integer"},
            "model": {"type": "string"},
            "device": {"type": "string"},
            "threshold": {**_NULLABLE_NUMBER, "description": "From which it is called machine-written."},
            "readers": {
                "type": "array",
                "description": "What each reader of the text adds.",
                "items": {"$ref": "#/components/schemas/Evidence"},
            },
            "evidence": {"type": "array", "items": {"$ref": "#/components/schemas/Evidence"}},
            "parts": {
                "type": "array",
                "items": {"type": "object"},
                "description": "Parts of a document that is not all prose: `part`, `n_words`, `read`.",
            },
        },
    },
    "Evidence": {
        "type": "object",
        "required": ["feature", "value", "contribution", "meaning"],
        "properties": {
            "feature": {"type": "string"},
            "value": {"type": "number"},
            "contribution": {
                "type": "number",
                "description": "Nats of log-odds; above 0 speaks for a machine.",
            },
            "meaning": {"type": "string"},
        },
    },
    "Problem": {
        "type": "object",
        "description": "RFC 9457, with what is at fault, what was expected and what to do.",
        "required": ["type", "title", "status", "detail", "culprit", "expectation", "remedy"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "culprit": {"type": "string"},
            "expectation": {"type": "string"},
            "remedy": {"type": "string"},
        },
    },
    "Unread": {
        "type": "object",
        "description": "In the place of a text's verdict, where there is none.",
        "required": ["error"],
        "properties": {
            "path": {"type": "string"},
            "error": {"$ref": "#/components/schemas/Problem"},
        },
    },
    "Text": {
        "oneOf": [
            {"type": "string"},
            {
                "type": "object",
                "required": ["text"],
                "properties": {"text": TEXT, "path": PATH},
                "additionalProperties": False,
            },
        ]
    },
    "OneText": {
        "type": "object",
        "required": ["text"],
        "properties": {"text": TEXT, "path": PATH, **OPTIONS},
        "additionalProperties": False,
    },
    "ManyTexts": {
        "type": "object",
        "required": ["texts"],
        "properties": {
            "texts": {
                "type": "array",
                "minItems": 1,
                "maxItems": 1_000,
                "items": {"$ref": "#/components/schemas/Text"},
            },
            **OPTIONS,
        },
        "additionalProperties": False,
    },
}
