"""Uploaded documents to texts, in processes of their own. The one module that knows which kinds there are."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath, PureWindowsPath

from ghostbuster.errors import InputError
from ghostbuster.server.child_process import ChildDiedError, ChildProcess
from ghostbuster.server.intake.document_child import read_documents
from ghostbuster.server.limits import Limits
from ghostbuster.system.printable import encodable, printable
from ghostbuster.text.documents.kinds import SUFFIXES
from ghostbuster.text.documents.read import JudgedText

N_READERS = 2
"""Documents read at once: a slow one holds up no other."""
_LONGEST_NAME = 200


class DocumentReader:
    """Reads documents in child processes, which start with the first document.

    Parameters
    ----------
    limits : Limits
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        arguments = (limits.document_bytes,)
        self._children = [
            ChildProcess(read_documents, arguments, f"document reader {i + 1}") for i in range(N_READERS)
        ]
        self._free = asyncio.Queue[ChildProcess]()
        for child in self._children:
            self._free.put_nowait(child)
        self._threads = ThreadPoolExecutor(N_READERS, thread_name_prefix="documents")

    async def read(self, name: str, data: bytes, *, whole: bool = False) -> JudgedText:
        """What is judged of a document.

        Parameters
        ----------
        name : str
            What it is called; no file of that name is ever touched.
        data : bytes
        whole : bool
            Whether more than its prose is judged.

        Raises
        ------
        GhostbusterError
            When it cannot be read; the message names it.
        """
        child = await self._free.get()
        try:
            loop = asyncio.get_running_loop()
            request = (data, name, whole)
            seconds = self._limits.document_seconds
            found: JudgedText = await loop.run_in_executor(self._threads, child.call, request, None, seconds)
        except ChildDiedError:
            raise InputError(
                f"{name} takes too much time or memory to read, as damaged and hostile files do: "
                "save it as text"
            ) from None
        finally:
            self._free.put_nowait(child)
        return found

    def close(self) -> None:
        """End the processes."""
        for child in self._children:
            child.close()
        self._threads.shutdown(wait=False)


def suffixes() -> list[str]:
    """Kinds of documents that are read."""
    return list(SUFFIXES)


def shown_name(name: str) -> str:
    """What an uploaded file is called: the last part of its name, without what steers a terminal."""
    last = PureWindowsPath(PurePosixPath(name).name).name
    return encodable(printable(last))[-_LONGEST_NAME:] or "without a name"
