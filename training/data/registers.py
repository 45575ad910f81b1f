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
    "essay_forum_aae": "essay",
    "essay_ielts": "essay",
    "essay_l2_university": "essay",
    "essay_native_uk": "essay",
    "essay_native_us": "essay",
    "personal_essay": "essay",
    "fiction": "story",
    "personal_narrative": "story",
    "yelp_review": "review",
    "university_answer": "coursework",
    "wiki_biased_paragraph": "encyclopedia",
    "wiki_continuation": "encyclopedia",
    "wiki_paragraph": "encyclopedia",
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
    return [_register(text.domain) for text in texts]


def _register(domain: str) -> str:
    if domain.startswith("abstract_"):
        return "abstract"
    return "answer" if domain.startswith("reddit_") else REGISTERS.get(domain, "")
