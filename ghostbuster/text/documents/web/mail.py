"""E-mail and saved web pages (MHTML): the body that a mail program shows."""

from __future__ import annotations

from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

from ghostbuster.errors import InputError
from ghostbuster.text.documents.document import Document, counted
from ghostbuster.text.documents.plain import plain_document
from ghostbuster.text.documents.replies import mark_answered
from ghostbuster.text.documents.web.html import checked_page, decoded, page_document


def read_mail(data: bytes, called: str) -> Document:
    """The body of a message: its page if it has one, as mail programs choose, else its plain text.

    Raises
    ------
    InputError
        When it has neither.
    """
    message = BytesParser(policy=policy.default).parsebytes(data)
    parts = [part for part in message.walk() if not part.is_multipart()]
    shown = [part for part in parts if part.get_content_disposition() != "attachment"]
    body = next(
        (p for kind in ("html", "plain") for p in shown if p.get_content_type() == f"text/{kind}"), None
    )
    if body is None:
        raise InputError(f"{called} is a message without a text; expected words: save what it carries")
    payload = body.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else b""
    letters = _decoded(raw, body.get_content_charset())
    if body.get_content_subtype() == "html":
        source = checked_page(decoded(raw) if letters is None else letters, called)
        made = page_document(
            source, [_style_sheet(part) for part in parts if part.get_content_subtype() == "css"]
        )
    else:
        made = plain_document(raw.decode("utf-8", "replace") if letters is None else letters)
    n_carried = sum(part.get_content_disposition() == "attachment" for part in parts)
    remarks = (f"{counted(n_carried, 'attachment')} not read",) if n_carried else ()
    return Document(tuple(mark_answered(made.blocks)), remarks)


def _style_sheet(part: EmailMessage) -> str:
    payload = part.get_payload(decode=True)
    return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def _decoded(raw: bytes, charset: str | None) -> str | None:
    """Letters in the encoding that the message names; None where it names none that is known."""
    if charset is None:
        return None
    try:
        return raw.decode(charset)
    except (LookupError, UnicodeDecodeError):
        return None
