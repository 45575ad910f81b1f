"""The chat template of a GGUF file: what stands before and behind a message. Rendered by sandboxed Jinja."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ghostbuster.errors import ModelError
from ghostbuster.models.gguf.header import Header

PLACEHOLDER = "ghostbusterplaceholder"
"""Stands for the message while the template is rendered: plain letters, which no template changes."""
MOST_CHARACTERS = 100_000
"""Of a rendered prompt without its message; real ones have some hundred."""


@dataclass(frozen=True)
class ChatFrame:
    """A prompt of one message of the user: special tokens are read in the frame, never in the message.

    Attributes
    ----------
    before, after : str
        What stands before the message, and behind it up to where the model answers.
    """

    before: str
    after: str


def render(header: Header) -> ChatFrame:
    """The frame that a file's own template puts around a message.

    A template is a program of whoever made the file: call `sandbox.chat_frame`, which runs this in a child
    process, for files of unknown origin.

    Raises
    ------
    ModelError
        When the file has no template, or one that fails or does not show the message once.
    """
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    template = header.metadata.get("tokenizer.chat_template")
    if not isinstance(template, bytes):
        raise ModelError(
            f"{header.path}: it has no chat template, so it is no model that takes requests; expected one "
            "made to follow instructions (Instruct, Chat): choose another GGUF"
        )
    made = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    made.globals["raise_exception"] = _raise
    values: dict[str, Any] = {
        "messages": [{"role": "user", "content": PLACEHOLDER}],
        "add_generation_prompt": True,
        "enable_thinking": False,
        "bos_token": _piece(header, "bos"),
        "eos_token": _piece(header, "eos"),
    }
    try:
        text = made.from_string(template.decode()).render(values)
    except (TemplateError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError) as error:
        raise _unusable(header, f"fails ({type(error).__name__}: {str(error)[:100]})") from error
    before, found, after = text.partition(PLACEHOLDER)
    if not found or PLACEHOLDER in after:
        raise _unusable(header, f"shows a message {text.count(PLACEHOLDER)} times where once was due")
    if len(text) > MOST_CHARACTERS:
        raise _unusable(header, f"makes a prompt of {len(text)} characters")
    return ChatFrame(before, after)


def _raise(message: str) -> None:
    raise ValueError(message)


def _piece(header: Header, name: str) -> str:
    """The special token that a vocabulary names, as text; empty where it names none."""
    tokens = header.metadata.get("tokenizer.ggml.tokens")
    token = header.metadata.get(f"tokenizer.ggml.{name}_token_id")
    if not isinstance(tokens, tuple) or type(token) is not int or not 0 <= token < len(tokens):
        return ""
    piece = tokens[token]
    return piece.decode(errors="replace") if isinstance(piece, bytes) else ""


def _unusable(header: Header, reason: str) -> ModelError:
    return ModelError(
        f"{header.path}: its chat template {reason}; expected one that llama.cpp's users know: choose "
        "another GGUF, or convert the model again"
    )
