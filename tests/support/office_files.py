"""Word documents written part by part, so that a test says in XML what it is about."""

import zipfile
from io import BytesIO
from pathlib import Path

CASES = next(
    (one / "shared" / "cases" for one in Path(__file__).parents if (one / "shared" / "cases").is_dir()), None
)
"""Small files that were once misread, where the checkout has them beside it."""

TRANSITIONAL = {
    "w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
}
STRICT = {
    "w": "http://purl.oclc.org/ooxml/wordprocessingml/main",
    "r": "http://purl.oclc.org/ooxml/officeDocument/relationships",
}
OTHERS = {
    "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
    "wps": "http://schemas.microsoft.com/office/word/2010/wordprocessingShape",
    "wp": "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing",
    "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
    "w14": "http://schemas.microsoft.com/office/word/2010/wordml",
    "m": "http://schemas.openxmlformats.org/officeDocument/2006/math",
    "v": "urn:schemas-microsoft-com:vml",
    "x": "http://example.org/of-no-program",
}


def word_bytes(body, strict=False, **parts):
    """A document with this body; further parts by name (``styles``, ``footnotes``, ``header``)."""
    known = (STRICT if strict else TRANSITIONAL) | OTHERS
    spaces = " ".join(f'xmlns:{prefix}="{space}"' for prefix, space in known.items())
    rels = "http://schemas.openxmlformats.org/package/2006/relationships"
    listed = "".join(
        f'<Relationship Id="{name}" Type="{known["r"]}/{name}" Target="{name}.xml"/>' for name in parts
    )
    root = {"styles": "styles", "footnotes": "footnotes", "header": "hdr", "settings": "settings"}
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{rels}"><Relationship Id="a" Type="{known["r"]}/officeDocument" '
            'Target="word/document.xml"/></Relationships>',
        )
        archive.writestr(
            "word/_rels/document.xml.rels", f'<Relationships xmlns="{rels}">{listed}</Relationships>'
        )
        archive.writestr("word/document.xml", f"<w:document {spaces}><w:body>{body}</w:body></w:document>")
        for name, inner in parts.items():
            archive.writestr(f"word/{name}.xml", f"<w:{root[name]} {spaces}>{inner}</w:{root[name]}>")
    return made.getvalue()


def run(text, properties=""):
    """A run of letters."""
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def par(text, properties="", look=""):
    """A paragraph of one run."""
    return f"<w:p><w:pPr>{properties}</w:pPr>{run(text, look)}</w:p>"


def zipped_again(data, part, change):
    """An archive with one of its parts changed."""
    made = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as old, zipfile.ZipFile(made, "w") as new:
        for entry in old.namelist():
            new.writestr(entry, change(old.read(entry)) if entry == part else old.read(entry))
    return made.getvalue()
