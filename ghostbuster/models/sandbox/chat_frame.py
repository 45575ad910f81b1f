"""Render a model's chat template in a child process with limits: a template may loop for ever."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

from ghostbuster.errors import ModelError
from ghostbuster.models.gguf.chat_template import MOST_CHARACTERS, ChatFrame
from ghostbuster.models.sandbox.child import python_command, run_child, status_name

TIME_LIMIT = 120.0  # seconds until the child is killed, on a busy machine; it takes 0.3
CPU_SECONDS = 20
MOST_BYTES = 2 << 30
"""Of the child's memory, where the system can limit that."""


def chat_frame(path: Path) -> ChatFrame:
    """What the template of a GGUF file puts before and behind a message.

    Raises
    ------
    ModelError
        When the file has none, or its template fails, takes too long or too much memory.
    """
    with tempfile.TemporaryDirectory(prefix="ghostbuster-", ignore_cleanup_errors=True) as folder:
        answer = Path(folder) / "answer.json"
        command = python_command("ghostbuster.models.sandbox.chat_frame_child", path.absolute())
        try:
            status = run_child(command, folder, TIME_LIMIT, answer)
        except subprocess.TimeoutExpired:
            raise _refused(path, f"gave no prompt within {TIME_LIMIT:.0f} seconds") from None
        except OSError as error:
            raise _refused(path, f"cannot be rendered in a child process ({error})") from error
        if status:
            raise _refused(path, f"ended a child process with {status_name(status)}")
        said = json.loads(answer.read_text("utf-8")[: 10 * MOST_CHARACTERS])
    if "error" in said:
        raise ModelError(str(said["error"]))
    return ChatFrame(str(said["before"]), str(said["after"]))


def _refused(path: Path, reason: str) -> ModelError:
    return ModelError(
        f"{path}: its chat template {reason}; expected a short one: choose another GGUF, or convert the "
        "model again"
    )
