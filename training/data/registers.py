"""Registers (kinds of text, such as essays or news) of the labelled files."""

from __future__ import annotations

from collections.abc import Iterable

from training.data.labelled import LabelledText

REGISTERS = {
    "abstracts": "abstract",
    "creative": "story",
    "reviews": "review",
    "ProductReview": "review",
    "news": "news",
    "NewsArticle": "news",
    "essay": "essay",
    "essay_exam": "essay",
    "EducationMaterial": "coursework",
    "reddit": "answer",
    "wiki": "encyclopedia",
    "Environmental": "report",
    "Finance": "finance",
    "TechnicalWriting": "technical",
    "Sports": "sports",
    "Entertainment": "entertainment",
}
"""Domain of a file to register; a domain that mixes kinds has none."""


def registers_of(texts: Iterable[LabelledText]) -> list[str]:
    """The register of each text, "" where it has none."""
    return [REGISTERS.get(text.domain, "") for text in texts]
