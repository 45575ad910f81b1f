"""A detector on disk: one joblib file, written atomically, read without running code from it."""

from __future__ import annotations

import hashlib
import math
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ghostbuster.artifacts.shipped import detector_path
from ghostbuster.detector.safe_joblib import DTYPES, parse
from ghostbuster.errors import ArtifactError, GhostbusterError
from ghostbuster.system.atomic_files import atomic_write

if TYPE_CHECKING:
    from ghostbuster.detector.classifier import GhostbusterClassifier
    from ghostbuster.detector.detector import Detector

Made = TypeVar("Made", bound="Detector")

SCHEMA = 1
"""Raised when a file's layout changes; older numbers are read or refused by name."""
MAX_BYTES = 64 * 2**20
"""Most bytes a detector file may unpack to; the ones made here have a few million."""
OTHER_PACKINGS = {
    b"\x1f\x8b": "gzip",
    b"BZ": "bzip2",
    b"\xfd7zXZ": "xz",
    b"]\0": "lzma",
    b"\x04\x22M\x18": "lz4",
}
"""First bytes of what joblib would unpack and this does not: no detector was ever packed so."""

_REMEDY = "expected a file made by `ghostbuster train`"


@dataclass(frozen=True)
class Artifact:
    """What a detector file holds.

    Attributes
    ----------
    path : Path
    digest : str
        SHA-256 of the file.
    manifest : dict
        What made the detector, fit for JSON.
    state : dict
        What ``Detector.from_state`` takes.
    """

    path: Path
    digest: str
    manifest: dict[str, Any]
    state: dict[str, Any]

    @property
    def identity(self) -> str:
        """Name and short digest, for reports: ``lite@1f0c4a5b6d7e``."""
        return f"{self.path.stem}@{self.digest[:12]}"

    def classifier(self) -> GhostbusterClassifier:
        """The detector, as an estimator that can be trained again.

        Raises
        ------
        ArtifactError
            When the state lacks a part or a part has another form than this version expects.
        """
        from ghostbuster.detector.classifier import GhostbusterClassifier

        return self._restored(GhostbusterClassifier)

    def detector(self) -> Detector:
        """The detector, without what training needs: quicker to import.

        Raises
        ------
        ArtifactError
            As ``classifier``.
        """
        from ghostbuster.detector.detector import Detector

        return self._restored(Detector)

    def _restored(self, kind: type[Made]) -> Made:
        from ghostbuster.detector.state import shown

        try:
            return kind.from_state(self.state)
        except (
            GhostbusterError,
            LookupError,
            TypeError,
            ValueError,
            AttributeError,
            ArithmeticError,
        ) as error:
            versions = self.manifest.get("versions")
            made_by = versions.get("ghostbuster", "unknown") if isinstance(versions, dict) else "unknown"
            kind_of_error = "" if isinstance(error, GhostbusterError) else f"{type(error).__name__}: "
            raise ArtifactError(
                f"{self.path} holds no detector this version can use ({kind_of_error}{shown(error)}); "
                f"it was made by ghostbuster {shown(made_by)}: train it again"
            ) from error


def save(detector: Detector, path: str | Path) -> None:
    """Write a trained detector to one file; an older file stays until the new one is complete.

    Parameters
    ----------
    detector : GhostbusterClassifier, fitted
    path : str or Path

    Raises
    ------
    ArtifactError
        When the folder is missing or cannot be written, or the detector holds a value no file may.
    """
    import joblib

    content = {
        "schema": SCHEMA,
        "manifest": _plain(detector.manifest_, "manifest"),
        "state": _plain(detector.state(), "state"),
    }
    with atomic_write(Path(path), ArtifactError) as temporary:
        joblib.dump(content, temporary, compress=("zlib", 6))


def load(path: str | Path | None = None) -> GhostbusterClassifier:
    """Read a detector that ``save`` wrote; nothing in the file is run.

    Parameters
    ----------
    path : str or Path, optional
        A file, or the name of a detector that ships: ``standard``, ``lite``, or ``default``, which is the
        standard one where its models are here. Without it the default.

    Raises
    ------
    ArtifactError
        When the file is missing, damaged, of another schema, or holds anything but plain data.
    """
    return open_artifact(detector_path(path)).classifier()


def load_default() -> GhostbusterClassifier:
    """The default detector of those that ship."""
    return load()


def open_artifact(path: str | Path) -> Artifact:
    """Read a detector file without making a detector of it.

    Raises
    ------
    ArtifactError
        As ``load``.
    """
    path = Path(path)
    return read_artifact(packed_bytes(path), path)


def read_artifact(packed: bytes, path: Path) -> Artifact:
    """Like `open_artifact`, of a file's bytes; errors name it by ``path``."""
    content = parse(_inflate(packed, path), path)
    if not isinstance(content, dict) or not {"schema", "manifest", "state"} <= content.keys():
        raise ArtifactError(f"{path} is a joblib file but no detector: {_REMEDY}")
    if type(content["schema"]) is not int or content["schema"] != SCHEMA:
        raise ArtifactError(
            f"{path} has schema {_shown(content['schema'])}; this version of ghostbuster reads {SCHEMA}: "
            "train it again, or use the version that made it"
        )
    manifest, state = content["manifest"], content["state"]
    if not isinstance(manifest, dict) or not isinstance(state, dict):
        raise ArtifactError(f"{path} has no manifest or state: {_REMEDY}")
    if not _fits_json(manifest):
        raise ArtifactError(f"{path} has a manifest that holds more than words and numbers: {_REMEDY}")
    return Artifact(path, hashlib.sha256(packed).hexdigest(), manifest, state)


def packed_bytes(path: Path) -> bytes:
    """The bytes of a detector file; its size is checked first.

    Raises
    ------
    ArtifactError
        When it is missing, cannot be read, or is larger than any detector.
    """
    try:
        size = path.stat().st_size
        if path.is_file() and size <= MAX_BYTES:
            return path.read_bytes()
    except FileNotFoundError:
        raise ArtifactError(f"{path} does not exist: {_REMEDY}") from None
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read ({error.strerror}): {_REMEDY}") from error
    if not path.is_file():
        raise ArtifactError(f"{path} is no regular file: {_REMEDY}")
    raise ArtifactError(f"{path} has {size} bytes, more than any detector ({MAX_BYTES}): {_REMEDY}")


def _inflate(packed: bytes, path: Path) -> bytes:
    """Unpacked content of a zlib file, never more than ``MAX_BYTES``."""
    for begin, name in OTHER_PACKINGS.items():
        if packed.startswith(begin):
            raise ArtifactError(f"{path} is packed by {name}, which no detector is: {_REMEDY}")
    engine = zlib.decompressobj()
    try:
        content = engine.decompress(packed, MAX_BYTES + 1)
    except zlib.error:
        raise ArtifactError(f"{path} is no detector, or damaged: {_REMEDY}") from None
    if len(content) > MAX_BYTES:
        raise ArtifactError(f"{path} unpacks to more than {MAX_BYTES} bytes: no detector does")
    if not engine.eof:
        raise ArtifactError(f"{path} is cut short: get it again from where it was made")
    if engine.unused_data:
        raise ArtifactError(f"{path} goes on after its end ({len(engine.unused_data)} bytes): it is damaged")
    return content


def _shown(value: Any) -> str:
    """A value of an untrusted file, as an error message can repeat it."""
    if type(value) is int and abs(value) < 10**9:
        return str(value)
    return repr(value[:20]) if type(value) is str else f"of type {type(value).__name__}"


def _fits_json(value: Any) -> bool:
    """Whether it can be written as JSON: no arrays, no NaN or infinity."""
    if isinstance(value, dict):
        return all(map(_fits_json, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_fits_json, value))
    if isinstance(value, int):
        return abs(value) < 2**63
    return value is None or isinstance(value, str) or (isinstance(value, float) and math.isfinite(value))


def _plain(value: Any, where: str) -> Any:
    """A copy in plain types; equal strings become one object, so that equal detectors give equal files."""
    import numpy as np

    if isinstance(value, np.generic):
        value = value.item()
    if type(value) is str:
        return sys.intern(value)
    if value is None or type(value) in {bool, int, float}:
        return value
    if type(value) is dict and all(type(key) is str for key in value):
        return {sys.intern(key): _plain(item, f"{where}.{key}") for key, item in value.items()}
    if type(value) in {list, tuple}:
        return type(value)(_plain(item, f"{where}[{i}]") for i, item in enumerate(value))
    if type(value) is np.ndarray and value.dtype.str[1:] in DTYPES:
        return np.array(value, order="C")
    kind = f"an array of {value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__
    raise ArtifactError(
        f"{where} of the detector is {kind}; a file holds plain containers with str keys, and numbers"
    )
