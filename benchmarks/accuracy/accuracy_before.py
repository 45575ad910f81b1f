"""Add the figures of an earlier run, with earlier language models, to docs/accuracy.md.

    python -m benchmarks.accuracy.accuracy_before EARLIER.json [--out docs]

EARLIER.json is the accuracy.json that `benchmarks.accuracy.accuracy` wrote with the earlier models, on the
same texts.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.accuracy.accuracy_report import report
from benchmarks.results import data_of, write_page
from ghostbuster.errors import InputError

SAME = ("data_digest", "plan", "n_crops", "space", "max_features", "min_tokens")
"""What must not differ: the comparison is of the models alone."""


def before(found: Mapping[str, Any], earlier: Mapping[str, Any]) -> dict[str, Any]:
    """What the report needs of the earlier figures.

    Raises
    ------
    InputError
        If the earlier figures are of other texts or settings.
    """
    if differ := [name for name in SAME if found[name] != earlier[name]]:
        raise InputError(f"the earlier figures differ in {', '.join(differ)}: measure both on the same texts")
    return {
        "models": earlier["models"],
        "variants": earlier["variants"],
        "leave_one_source_out": {name: earlier["leave_one_source_out"][name] for name in found["detectors"]},
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("earlier", type=Path, help="accuracy.json of the earlier models")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder of data/accuracy.json")
    options = parser.parse_args()
    found = json.loads(data_of(options.out, "accuracy").read_text("utf-8"))
    found["before"] = before(found, json.loads(options.earlier.read_text("utf-8")))
    write_page(options.out, "accuracy", found, report(found))


if __name__ == "__main__":
    main()
