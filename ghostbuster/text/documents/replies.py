"""What a message answers, where the program that wrote it neither marks nor indents that."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ghostbuster.text.documents.document import Block, Part

_RULE = re.compile(
    r"\s*[-_]{2,}\s*(?:original message|forwarded message|reply message|urspr\u00fcngliche nachricht"
    r"|message d'origine)\s*[-_]{2,}\s*|begin forwarded message:\s*",
    re.IGNORECASE,
)
_FROM = re.compile(r"\s*\*?(?:From|Von|De):\*?\s*\S", re.IGNORECASE)
_SENT = re.compile(r"^\s*\*?(?:Sent|Date|Gesendet|Envoy\u00e9):\*?\s*\S", re.IGNORECASE | re.MULTILINE)
_TO = re.compile(r"^\s*\*?(?:To|Subject|An|Betreff|\u00c0|Objet):\*?\s*\S", re.IGNORECASE | re.MULTILINE)
HEADER_LINES = 6
"""Lines of the head of a message that Outlook and others put before what is answered."""
_MAY_BE_ANSWERED = frozenset({Part.PROSE, Part.HEADING, Part.TABLE})


def mark_answered(blocks: Sequence[Block]) -> list[Block]:
    """Blocks, with all from the head of an earlier message on called a quotation.

    A head that nothing stands before is that of the message itself.
    """
    seen = False
    for i, block in enumerate(blocks):
        if not block.text.strip():
            continue
        if seen and (
            _RULE.fullmatch(block.text.partition("\n")[0]) or _is_head(blocks[i : i + HEADER_LINES])
        ):
            return [*blocks[:i], *(_answered(one) for one in blocks[i:])]
        seen = seen or block.part is Part.PROSE
    return list(blocks)


def _is_head(blocks: Sequence[Block]) -> bool:
    if not _FROM.match(blocks[0].text):
        return False
    text = "\n".join(block.text for block in blocks)
    return bool(_SENT.search(text[:1000])) and bool(_TO.search(text[:1000]))


def _answered(block: Block) -> Block:
    return replace(block, part=Part.QUOTE) if block.part in _MAY_BE_ANSWERED else block
