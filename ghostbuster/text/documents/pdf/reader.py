"""PDF: read by a child process, within bounds of time and memory."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

from ghostbuster.errors import InputError
from ghostbuster.text.documents import bounds
from ghostbuster.text.documents.document import Block, Document, Part

_WAITING = 10
"""Seconds on the clock for each of the CPU: other programs may be at work."""


def read_pdf(data: bytes, called: str) -> Document:
    """A PDF document as its pages show it.

    Raises
    ------
    InputError
        When it is locked with a password, damaged, takes too long, or crashes its reader.
    """
    seconds = max(math.ceil(bounds.PATIENCE), 1)
    command = [sys.executable, "-P", "-m", "ghostbuster.text.documents.pdf.child", str(seconds)]
    root = str(Path(__file__).parents[4])  # where this very package lies
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    try:
        done = subprocess.run(  # noqa: S603 - this very program
            command,
            input=data,
            capture_output=True,
            check=False,
            timeout=_WAITING * seconds,
            env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        )
    except subprocess.TimeoutExpired:
        raise bounds.too_slow(called) from None
    if done.returncode in {-24, -9}:  # SIGXCPU, then SIGKILL
        raise bounds.too_slow(called)
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise InputError(
            f"{called} is damaged: its reader ended with status {done.returncode}; save it again or as text"
        ) from None
    if answer.get("locked"):
        raise InputError(f"{called} is locked with a password: save a copy without one")
    if "error" in answer:
        raise InputError(f"{called} cannot be read as PDF ({answer['error']}): save it again or as text")
    blocks = tuple(Block(Part[part], text) for part, text in answer["blocks"])
    return Document(blocks, tuple(answer["remarks"]))
