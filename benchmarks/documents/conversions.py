"""Documents as other programs write them: LibreOffice's exports, and pandoc's."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.documents.material import Essay, Made, essay
from benchmarks.documents.word_files import styled

OFFICE = {
    ".odt": "odt:writer8",
    ".rtf": "rtf",
    ".html": "html",
    ".docx": "docx:MS Word 2007 XML",
    ".pdf": "pdf",
}
PANDOC = {
    ".docx": "docx",
    ".odt": "odt",
    ".rtf": "rtf",
    ".html": "html",
    ".epub": "epub",
    ".tex": "latex",
    ".ipynb": "ipynb",
}


def exported(n_each: int, first: int = 4000) -> Iterator[Made]:
    """Word documents that LibreOffice saved as something else."""
    with tempfile.TemporaryDirectory() as folder:
        originals = {}
        for i in range(n_each):
            made = styled(essay(first + i))
            path = Path(folder) / f"{i}.docx"
            path.write_bytes(made.data)
            originals[path] = made
        for suffix, filter_name in OFFICE.items():
            out = Path(folder) / suffix[1:]
            command = [
                "soffice",
                "--headless",
                f"-env:UserInstallation=file://{folder}/profile",
                "--convert-to",
                filter_name,
                "--outdir",
                str(out),
                *map(str, originals),
            ]
            subprocess.run(command, check=True, capture_output=True, timeout=600)
            for path, made in originals.items():
                data = (out / f"{path.stem}{suffix}").read_bytes()
                yield Made("", suffix, "LibreOffice", "parts in their styles", data, made.seen, made.prose)


def markdown(one: Essay) -> str:
    """An essay in pandoc's markdown."""
    rows = "\n".join(f"| {' | '.join(row)} |" for row in [one.cells[0], ["---", "---"], *one.cells[1:]])
    return "\n\n".join(
        [
            f"# {one.title}",
            f"## {one.heading}",
            *one.paragraphs[:3],
            f"> {one.quote}",
            rows,
            *one.paragraphs[3:],
            "## References",
            *one.references,
        ]
    )


def pandoc_path() -> str:
    """The program that the package ``pypandoc_binary`` brings."""
    import pypandoc

    return str(pypandoc.get_pandoc_path())


def converted(n_each: int, first: int = 5000) -> Iterator[Made]:
    """Markdown that pandoc turned into something else."""
    for i in range(n_each):
        one = essay(first + i)
        cells = " ".join(" ".join(row) for row in one.cells)
        seen = [
            one.title,
            one.heading,
            *one.paragraphs[:3],
            one.quote,
            cells,
            *one.paragraphs[3:],
            "References",
            *one.references,
        ]
        for suffix, writer in PANDOC.items():
            with tempfile.TemporaryDirectory() as folder:
                out = Path(folder) / f"a{suffix}"
                command = [
                    pandoc_path(),
                    "-f",
                    "markdown",
                    "-t",
                    writer,
                    "-s",
                    "-M",
                    "pagetitle= ",
                    "-o",
                    str(out),
                ]
                subprocess.run(command, input=markdown(one).encode(), check=True, capture_output=True)
                data = out.read_bytes()
            yield Made(
                "",
                suffix,
                "pandoc",
                "parts in their styles",
                data,
                "\n".join(seen),
                "\n".join(one.paragraphs),
            )
