"""A small model for fault injection that the catalog knows, so that it is converted as SmolLM2 is."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

SMALL = "small"
READ_SAMPLE = """
import json, sys
seconds = 0.5 if "-BF16" in json.loads(sys.argv[1])["model"] else 1.0
print(json.dumps({"logprobs": [-1.0, -2.0], "seconds": seconds}))
"""
"""In place of the child that reads a sample: the form that is chosen must not hang on the machine's load."""


def put_known_model(folder: Path) -> None:
    """Write a quantised model into ``folder``, as if it had been pulled, and have the catalog know it.

    Its conversion is the real one, in children; what they say of each form's speed is set.
    """
    from ghostbuster.models.gguf.digest import file_digest
    from ghostbuster.models.hub.catalog import CATALOG
    from ghostbuster.models.hub.pulled import PulledModel, write_record

    path = folder / f"{SMALL}.gguf"
    path.write_bytes(_quantised())
    digest, size = file_digest(path), path.stat().st_size
    row = replace(CATALOG["smollm2-135m"], sha256=digest, n_bytes=size, distribution="")
    CATALOG[SMALL] = row
    write_record(PulledModel(SMALL, row.repository, row.file, row.revision, digest, size, str(path)))
    _set_speeds()


@cache
def _quantised() -> bytes:
    """The bytes of a model of one layer in Q4_0."""
    from training.data.make_gguf import Shape, make_gguf

    with TemporaryDirectory() as place:
        shape = Shape(layers=1, quantisation="Q4_0")
        return make_gguf(Path(place) / "small.gguf", shape).read_bytes()


@cache
def _set_speeds() -> None:
    """Answer for the children that measure, in this process and those forked from it."""
    from ghostbuster.models.prepared import convert, prepare
    from ghostbuster.models.sandbox.cpu_path import Finding

    real = convert.child_command

    def command(module: str, request: str) -> list[str]:
        if module == "read_sample_child":
            return [sys.executable, "-c", READ_SAMPLE, request]
        return real(module, request)

    convert.child_command = command
    prepare.cpu_path = lambda _: Finding("safe", "set by the benchmark")
