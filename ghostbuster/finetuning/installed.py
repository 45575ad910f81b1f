"""Whether what fine-tuning needs beside the package is installed; nothing is imported for it."""

from __future__ import annotations

from importlib.util import find_spec

from ghostbuster.errors import SettingError

NEEDED = ("gguf", "peft", "torch", "transformers")


def check_installed() -> None:
    """Refuse to begin where a library is missing.

    Raises
    ------
    SettingError
        Names it, and the command that installs all.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise SettingError(
            f"fine-tuning needs the extra finetune, of which {', '.join(missing)} cannot be found: "
            "`pip install 'ghostbuster[finetune]'` (scoring with an adapter needs nothing more)"
        )
