"""Bodies of ``POST /v1/verdicts`` to texts that are to be judged; what does not fit is named."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ghostbuster.errors import InputError
from ghostbuster.registry import did_you_mean
from ghostbuster.server.limits import Limits
from ghostbuster.server.problems import RequestError, bad_request, quoted, too_large, unprocessable
from ghostbuster.server.scoring.detectors import Choice, DetectorFacts, choose
from ghostbuster.server.scoring.scoring_child import Ask
from ghostbuster.system.printable import encodable

OPTIONS = ("detector", "register", "max_fpr")
TEXT_FIELDS = ("text", "path")
_LONGEST_PATH = 1_000


def asks_of_json(data: bytes, detectors: Sequence[DetectorFacts], limits: Limits) -> tuple[list[Ask], bool]:
    """Texts of a JSON body, and whether it was one alone.

    Parameters
    ----------
    data : bytes
        ``{"text": ...}`` or ``{"texts": [...]}``, with options beside them.
    detectors : sequence of DetectorFacts
    limits : Limits

    Raises
    ------
    RequestError
        400 for what is no JSON, 413 for too long a text or too many, 422 for fields of the wrong kind.
    """
    body = parse_json(data, "the body")
    if not isinstance(body, dict):
        raise unprocessable("the body", "an object", 'send {"text": "..."} or {"texts": [...]}')
    if ("text" in body) == ("texts" in body):
        raise unprocessable("the body", "either `text` or `texts`", "send one of them")
    alone = "text" in body
    _check_fields(body, (*TEXT_FIELDS, *OPTIONS) if alone else ("texts", *OPTIONS), "the body")
    choice = choice_of(body, detectors)
    if alone:
        one = {name: body[name] for name in TEXT_FIELDS if name in body}
        return [ask_of(one, "", choice, limits)], True
    texts = body["texts"]
    if not isinstance(texts, list):
        raise unprocessable("texts", "an array", "send strings, or objects with `text` and `path`")
    check_count(len(texts), limits)
    return [ask_of(text, f"texts[{i}]", choice, limits) for i, text in enumerate(texts)], False


def check_count(n_texts: int, limits: Limits) -> None:
    """Refuse more texts than a request may hold, or none."""
    if n_texts > limits.texts:
        raise too_large(
            f"{n_texts:,} texts", f"at most {limits.texts:,}", "send them as NDJSON, a text a line"
        )
    if not n_texts:
        raise unprocessable("texts", "one text or more", "send some")


def ask_of(value: Any, where: str, choice: Choice, limits: Limits) -> Ask:
    """One text: a string, or an object with ``text`` and ``path``.

    Parameters
    ----------
    value : object
        Of JSON.
    where : str
        In the body, for messages; empty for the body itself.
    choice : Choice
    limits : Limits

    Raises
    ------
    RequestError
        413 or 422.
    """
    if isinstance(value, str):
        value = {"text": value}
    if not isinstance(value, dict):
        raise unprocessable(where or "the text", "a string or an object", "send the text itself")
    _check_fields(value, TEXT_FIELDS, where or "the body")
    text, path = value.get("text"), value.get("path", "-")
    within = f"{where}." if where else ""
    if not isinstance(text, str):
        raise unprocessable(f"{within}text", "a string", "send the text itself")
    if not isinstance(path, str) or len(path) > _LONGEST_PATH:
        raise unprocessable(f"{within}path", f"a string of at most {_LONGEST_PATH} characters", "send a name")
    check_length(text, f"{within}text", limits)
    return Ask(text, encodable(path), choice)


def check_length(text: str, culprit: str, limits: Limits) -> None:
    """Refuse a text that would hold up everybody."""
    if len(text) > limits.text_characters:
        raise too_large(
            f"{culprit} of {len(text):,} characters",
            f"at most {limits.text_characters:,}",
            "send its chapters one by one",
        )


def choice_of(options: Mapping[str, Any], detectors: Sequence[DetectorFacts]) -> Choice:
    """Detector, register and rate of a body or of a query.

    Raises
    ------
    RequestError
        422 when one is of the wrong kind or unknown.
    """
    name, register, rate = (options.get(option) for option in OPTIONS)
    for option, value in (("detector", name), ("register", register)):
        if value is not None and not isinstance(value, str):
            raise unprocessable(option, "a string", "send its name")
    if isinstance(rate, str):  # of a query or a form
        written = rate
        try:
            rate = float(written)
        except ValueError:
            raise unprocessable(
                f"max_fpr {quoted(written)}", "a number", "send 0.01, or leave it out"
            ) from None
    if rate is not None and (isinstance(rate, bool) or not isinstance(rate, int | float)):
        raise unprocessable("max_fpr", "a number", "send 0.01, or leave it out")
    return choose(detectors, name or None, register or None, rate)


def flag(options: Mapping[str, str], name: str) -> bool:
    """Whether an option of a form or an address says yes.

    Raises
    ------
    RequestError
        422 when it says neither yes nor no.
    """
    value = options.get(name, "no").lower()
    if value not in {"yes", "no", "true", "false"}:
        raise unprocessable(f"{name} {quoted(value)}", "yes or no", "send one of them, or leave it out")
    return value in {"yes", "true"}


def parse_json(data: bytes, culprit: str) -> Any:
    """What JSON says.

    Raises
    ------
    RequestError
        400 when it is none.
    """
    try:
        return json.loads(data)
    except UnicodeDecodeError:
        raise bad_request(culprit, "JSON in UTF-8", "encode it so") from None
    except RecursionError:
        raise bad_request(culprit, "JSON of a few levels", "nest less") from None
    except ValueError as error:
        raise bad_request(culprit, "JSON", f"mend it ({encodable(str(error))})") from None


def plain_text(data: bytes) -> str:
    """The text that a body of ``text/plain`` is.

    Raises
    ------
    RequestError
        400 when it is no text.
    """
    from ghostbuster.text.prepare import decode

    if not data.strip():
        return ""
    try:
        return decode(data, "the body")
    except InputError as error:
        raise RequestError(400, "the body", "text in UTF-8", str(error)) from None


def _check_fields(value: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for name in value:
        if name not in known:
            raise unprocessable(
                f"field {quoted(name)} of {where}", "a known field", did_you_mean(name, known)
            )
