"""LaTeX: the words between its commands, by ``pylatexenc``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ghostbuster.text.documents.document import Block, Document, Part, tidied
from ghostbuster.text.documents.references import mark_references
from ghostbuster.text.prepare import decode

_HEADINGS = frozenset(
    {"part", "chapter", "section", "subsection", "subsubsection", "paragraph", "subparagraph", "title"}
)
_NOTES = frozenset({"footnote", "footnotetext", "endnote", "thanks"})
_NOTHING = frozenset({
    "label", "ref", "eqref", "pageref", "autoref", "cref", "cite", "citep", "citet", "citeauthor", "citeyear",
    "bibliography", "bibliographystyle", "includegraphics", "vspace", "hspace", "input", "include",
    "usepackage", "author", "date", "maketitle", "tableofcontents", "centering", "noindent", "newcommand",
    "renewcommand", "index", "phantom", "hphantom", "vphantom", "hyphenation", "setlength", "pagestyle",
    "thispagestyle", "documentclass", "parencite", "textcite", "footcite", "autocite", "printbibliography",
    "addbibresource", "newpage", "clearpage",
})  # fmt: skip
"""Commands that print none of their words."""
_ENVIRONMENTS = {
    **dict.fromkeys(("quote", "quotation", "displayquote", "verse"), Part.QUOTE),
    **dict.fromkeys(
        ("verbatim", "lstlisting", "minted", "Verbatim", "alltt", "algorithm", "algorithmic"), Part.CODE
    ),
    **dict.fromkeys(("tabular", "tabularx", "tabular*", "longtable", "table", "table*"), Part.TABLE),
    **dict.fromkeys(("figure", "figure*", "wrapfigure"), Part.CAPTION),
    **dict.fromkeys(("thebibliography", "references"), Part.REFERENCES),
}
_UNSHOWN = frozenset(
    {
        "comment",
        "tikzpicture",
        "filecontents",
        "equation",
        "equation*",
        "align",
        "align*",
        "gather",
        "displaymath",
    }
)
_IF_FALSE = re.compile(r"\\iffalse\b.*?\\fi\b", re.DOTALL)
_DEFINED = re.compile(r"\\def\s*\\\w+\{[^{}]*\}")
_BODY = re.compile(r"\\begin\{document\}(.*?)(?:\\end\{document\}|\Z)", re.DOTALL)
_TITLE = re.compile(r"\\title\s*\{([^{}]*)\}")


class _Reader:
    """Words of a source, gathered into blocks."""

    def __init__(self) -> None:
        from pylatexenc.latex2text import LatexNodes2Text

        self.plain = LatexNodes2Text(math_mode="text", strict_latex_spaces=False, keep_comments=False)
        self.blocks: list[Block] = []
        self.words: list[str] = []

    def end(self, part: Part) -> None:
        """A paragraph ends."""
        self.blocks.append(Block(part, re.sub(r"\s+", " ", "".join(self.words))))
        self.words = []

    def walk(self, nodes: Sequence[Any], part: Part) -> None:
        """Nodes of one part."""
        for node in nodes:
            kind = type(node).__name__
            if node is None or kind == "LatexCommentNode":
                continue
            if kind == "LatexEnvironmentNode":
                self.environment(node, part)
            elif kind == "LatexMacroNode":
                self.command(node, part)
            elif kind == "LatexGroupNode":
                self.walk(node.nodelist, part)
            elif kind == "LatexCharsNode":
                first, *others = re.split(r"\n[ \t]*\n\s*", node.chars)
                self.words.append(first)
                for other in others:
                    self.end(part)
                    self.words.append(other)
            elif kind == "LatexSpecialsNode" and node.specials_chars == "\n\n":
                self.end(part)
            else:
                self.words.append(self.plain.nodelist_to_text([node]))

    def environment(self, node: Any, part: Part) -> None:
        """What stands between a begin and an end."""
        name = node.environmentname
        if name in _UNSHOWN:
            return
        self.end(part)
        inner = _ENVIRONMENTS.get(name, part) if part is Part.PROSE else part
        if inner is Part.CODE and not node.nodelist:
            self.words.append(self.plain.nodelist_to_text([node]))
        self.walk(node.nodelist, inner)
        self.end(inner)

    def command(self, node: Any, part: Part) -> None:
        """One command with what it is given."""
        name = node.macroname.rstrip("*")
        given = [one for one in (node.nodeargd.argnlist if node.nodeargd else []) if one is not None]
        if name in _NOTHING:
            return
        if name in {"par", "item"}:
            self.end(part)
        elif name in _HEADINGS or name in _NOTES or name == "caption":
            inner = Part.HEADING if name in _HEADINGS else Part.FOOTNOTE if name in _NOTES else Part.CAPTION
            self.aside(given[-1:], inner, part, ends=inner is not Part.FOOTNOTE)
        elif (
            name in {"textcolor", "color"}
            and given
            and "white" in self.plain.nodelist_to_text(given[:1]).lower()
        ):
            self.aside(given[1:], Part.HIDDEN, part, ends=False)
        elif name in {
            "emph",
            "textbf",
            "textit",
            "texttt",
            "underline",
            "textsc",
            "text",
            "textcolor",
            "uline",
            "href",
        }:
            self.walk(given[-1:], part)
        else:
            self.words.append(self.plain.nodelist_to_text([node]))

    def aside(self, nodes: Sequence[Any], inner: Part, part: Part, *, ends: bool) -> None:
        """Words that are no part of the paragraph they stand in."""
        if ends:
            self.end(part)
        before, self.words = self.words, []
        self.walk(nodes, inner)
        self.end(inner)
        self.words = before


def read_tex(data: bytes, called: str) -> Document:
    """A LaTeX source: its document, without preamble and comments."""
    return tex_document(decode(data, called))


def tex_document(source: str) -> Document:
    """A document from its source."""
    from pylatexenc.latexwalker import LatexWalker

    source = _DEFINED.sub("", _IF_FALSE.sub("", source))
    body = _BODY.search(source)
    reader = _Reader()
    if body is not None and (title := _TITLE.search(source[: body.start()])):
        reader.blocks.append(Block(Part.HEADING, title[1]))
    nodes, _, _ = LatexWalker(body[1] if body else source, tolerant_parsing=True).get_latex_nodes()
    reader.walk(nodes, Part.PROSE)
    reader.end(Part.PROSE)
    return Document(tidied(mark_references(reader.blocks)))
