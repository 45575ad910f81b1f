"""Archives of XML parts, opened within bounds: no bomb unpacks, no entity expands, no other file is read."""

from __future__ import annotations

import posixpath
import zipfile
from io import BytesIO
from typing import TYPE_CHECKING

from ghostbuster.errors import InputError
from ghostbuster.text.documents import bounds

if TYPE_CHECKING:
    from lxml.etree import _Element

_ENCRYPTED = 0x1


class Package:
    """An archive of parts by name.

    Parameters
    ----------
    data : bytes
    name : str
        What errors call the document.

    Raises
    ------
    InputError
        When it would unpack to more than ``MOST_UNPACKED`` bytes, or is locked with a password.
    """

    def __init__(self, data: bytes, name: str) -> None:
        self.name = name
        self._archive = zipfile.ZipFile(BytesIO(data))
        entries = self._archive.infolist()
        size = sum(entry.file_size for entry in entries)
        if size > bounds.MOST_UNPACKED:
            raise InputError(
                f"{name} unpacks to {size} bytes; expected at most {bounds.MOST_UNPACKED}: it is no essay"
            )
        if any(entry.flag_bits & _ENCRYPTED for entry in entries):
            raise InputError(f"{name} is locked with a password: save a copy without one")
        self._names = {entry.filename.lstrip("/").lower(): entry for entry in entries}

    def names(self) -> list[str]:
        """Names of all parts, in lower case."""
        return list(self._names)

    def __contains__(self, part: str) -> bool:
        return part.lstrip("/").lower() in self._names

    def read(self, part: str) -> bytes:
        """Bytes of a part.

        Raises
        ------
        KeyError
            When there is no such part.
        """
        entry = self._names[part.lstrip("/").lower()]
        return self._archive.read(entry)

    def xml(self, part: str) -> _Element:
        """Root of a part.

        Raises
        ------
        InputError
            When it is too long or defines entities, as no office program's does.
        KeyError
            When there is no such part.
        """
        return parsed(self.read(part), f"{part} of {self.name}")

    def related(self, part: str) -> dict[str, tuple[str, str]]:
        """Related parts by id: the last word of the relation's kind, and the part's name."""
        folder, _, file = part.rpartition("/")
        listed = posixpath.join(folder, "_rels", f"{file}.rels")
        if listed not in self:
            return {}
        made = {}
        for one in self.xml(listed):
            if one.get("TargetMode") != "External" and (target := one.get("Target")):
                place = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
                made[one.get("Id", "")] = (one.get("Type", "").rpartition("/")[2], place)
        return made


def parsed(data: bytes, name: str) -> _Element:
    """Root of XML that is not trusted.

    Raises
    ------
    InputError
        When it is longer than ``MOST_XML``, or has a document type: entities are defined there.
    """
    from lxml import etree

    if len(data) > bounds.MOST_XML:
        raise InputError(f"{name} is longer than {bounds.MOST_XML} bytes of XML: it is no essay")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    root = etree.fromstring(data, parser)
    if root.getroottree().docinfo.doctype:
        raise InputError(f"{name} has a document type, as damaged and hostile files do: save it again")
    return root
