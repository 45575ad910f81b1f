"""What a message answers, though nothing marks it but the head of the earlier one."""

import pytest

from ghostbuster.text.documents.document import Part
from ghostbuster.text.documents.plain import plain_document
from ghostbuster.text.documents.web.mail import read_mail

OWN = "I read the letter twice before I understood what she had asked of me."
THEIRS = "Of all the things that a man may lose at sea the least is his hat."
HEAD = "From: Ann Gray <ann@example.org>\nSent: Monday, 4 May 2020 10:12\nTo: Bob\nSubject: The hat\n"


@pytest.mark.parametrize(
    "between",
    [
        "-----Original Message-----\n" + HEAD,
        "________________________________\n" + HEAD,
        "---------- Forwarded message ---------\n" + HEAD.replace("Sent:", "Date:"),
        "Begin forwarded message:\n\n" + HEAD,
        "*From:* Ann Gray\n*Sent:* Monday\n*To:* Bob\n",
        "Von: Ann Gray\nGesendet: Montag\nAn: Bob\nBetreff: Hut\n",
    ],
)
def test_all_from_the_head_of_an_earlier_message_on_is_quoted(between):
    made = plain_document(f"{OWN}\n\n{between}\n{THEIRS}\n\nAnn\n")
    assert made.text().replace("_", "").strip() == OWN
    assert made.words()[Part.QUOTE] >= len(THEIRS.split())


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}\n{OWN}",
        f"{OWN}\nFrom: the beginning I knew.\n{THEIRS}",
        f"{OWN}\n-----\n{THEIRS}",
    ],
)
def test_a_messages_own_head_and_words_like_it_quote_nothing(text):
    assert set(plain_document(text).words()) == {Part.PROSE}


def mail(body):
    head = "From: a@example.org\nMIME-Version: 1.0\nSubject: x\nContent-Type: text/html; charset=utf-8\n\n"
    return read_mail((head + body).encode(), "a.eml")


def test_the_answer_of_outlook_is_apart_from_what_it_answers():
    made = mail(
        f"<p>{OWN}</p><div id=appendonsend></div><hr><div id=divRplyFwdMsg><b>From:</b> Ann Gray<br>"
        f"<b>Sent:</b> Monday<br><b>To:</b> Bob<br><b>Subject:</b> x</div><div><p>{THEIRS}</p></div>"
    )
    assert made.text() == OWN
    assert made.words()[Part.QUOTE] == len(THEIRS.split()) + 9
