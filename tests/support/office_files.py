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
    root = {
        "styles": "w:styles", "footnotes": "w:footnotes", "header": "w:hdr", "settings": "w:settings",
        "theme": "a:theme",
    }  # fmt: skip
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
            archive.writestr(f"word/{name}.xml", f"<{root[name]} {spaces}>{inner}</{root[name]}>")
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


OFFICE = "urn:oasis:names:tc:opendocument:xmlns:"
SPACES = " ".join(
    f'xmlns:{short}="{OFFICE}{long}:1.0"'
    for short, long in {"office": "office", "text": "text", "table": "table", "style": "style",
                        "draw": "drawing", "fo": "xsl-fo-compatible", "svg": "svg-compatible"}.items()
)  # fmt: skip


def odt(body, styles="", manifest="<m/>"):
    """An OpenDocument text with this body and these styles."""
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr(
            "content.xml",
            f"<office:document-content {SPACES}><office:automatic-styles>{styles}</office:automatic-styles>"
            f"<office:body><office:text>{body}</office:text></office:body></office:document-content>",
        )
    return made.getvalue()


def style(name, text="", paragraph="", parent=""):
    """A style of letters (its name in small ones) or of paragraphs."""
    return (
        f'<style:style style:name="{name}" style:family="{"text" if name.islower() else "paragraph"}" '
        f'style:parent-style-name="{parent}"><style:text-properties {text}/>'
        f"<style:paragraph-properties {paragraph}/></style:style>"
    )


def rtf(body):
    """Rich text with this body."""
    return (
        "{\\rtf1\\ansi\\ansicpg1252\\uc1{\\fonttbl{\\f0 Times;}}{\\colortbl;\\red255\\green255\\blue255;}"
        "{\\stylesheet{\\s0 Normal;}{\\s1 heading 1;}{\\s2 Quote;}}{\\info{\\title Not read}}" + body + "}"
    ).encode("cp1252")
