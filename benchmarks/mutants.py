"""Mutation testing by mutmut: change one place of the code, look whether a test fails.

    python benchmarks/mutants.py --sample 60 --seed 0 --out survivors.diff

Which modules are changed and which tests are asked stands under ``[tool.mutmut]`` in pyproject.toml; only
tests that run the changed function are asked. A whole run takes an hour or two, so ``--sample`` draws so
many mutants of each module. A mutant that only changes the prose of an error message is counted apart:
tests hold messages to a few words, on purpose. ``mutants/`` is a working copy; remove it to begin anew. Run
in the root of a checkout; needs ``pip install mutmut``.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

KILLED, TIMEOUT = {1, 3}, {24, 36, 152, 255, -24}
HOW = {
    "killed": "killed",
    "timeout": "killed: too slow",
    "words": "words of a message only",
    "survived": "survived",
}


def names(path: Path) -> list[str]:
    """Every mutant of a file, by mutmut's names."""
    from mutmut.mutation.file_mutation import get_mutant_name, mutate_file_contents

    made = mutate_file_contents(str(path), path.read_text("utf-8"))
    return [get_mutant_name(path, name) for name in made.mutant_names]


def outcomes(path: Path) -> dict[str, int | None]:
    """What became of a file's mutants: the exit status of the tests, None for those not tried."""
    return dict(json.loads(Path("mutants", f"{path}.meta").read_text("utf-8"))["exit_code_by_key"])


def difference(name: str) -> list[str]:
    """The lines that a mutant takes away and adds."""
    done = subprocess.run(["mutmut", "show", name], capture_output=True, text=True, check=True)  # noqa: S607
    lines = done.stdout.splitlines()
    return [line for line in lines if line[:1] in {"-", "+"} and line[:3] not in {"---", "+++"}]


def only_words(lines: list[str]) -> bool:
    """Whether a mutant spoils nothing but the prose of a message, as mutmut spoils strings."""
    if len(lines) != 2:
        return False
    before, after = (line[1:].strip() for line in lines)
    prose = before.startswith(('f"', '"')) and before.count(" ") > 3 and before.rstrip(",)").endswith('"')
    spoilt = {before.lower(), before.upper().lower(), before.lower().replace("xx", "")}
    return prose and after.lower().replace("xx", "") in spoilt


def judge(name: str, status: int | None) -> tuple[str, list[str]]:
    """How a mutant fared, and what it is where it lived."""
    if status in KILLED:
        return "killed", []
    if status in TIMEOUT:
        return "timeout", []
    lines = difference(name)
    return "words" if only_words(lines) else "survived", lines


def main() -> None:
    """Draw, run, count."""
    import tomllib

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, default=0, help="mutants of each module; 0: all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--children", type=int, default=2)
    parser.add_argument("--only", default="", help="part of the paths of the modules to try")
    parser.add_argument("--out", type=Path, help="where to write what the survivors are")
    options = parser.parse_args()

    settings = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["tool"]["mutmut"]
    paths = [Path(path) for path in settings["only_mutate"] if options.only in path]
    every = {path: names(path) for path in paths}
    draw = random.Random(options.seed)  # noqa: S311
    drawn = {
        path: sorted(draw.sample(all_, min(options.sample or len(all_), len(all_))))
        for path, all_ in every.items()
    }
    command = [
        "mutmut",
        "run",
        "--max-children",
        str(options.children),
        *(one for some in drawn.values() for one in some),
    ]
    subprocess.run(command, check=True, stdout=sys.stderr)

    survivors = []
    print(f"| module | mutants | tried | {' | '.join(HOW.values())} |")
    print(f"|---|---:|---:|{'---:|' * len(HOW)}")
    whole: Counter[str] = Counter()
    for path, some in drawn.items():
        status, counts = outcomes(path), Counter[str]()
        for name in some:
            how, lines = judge(name, status[name])
            counts[how] += 1
            if lines:
                survivors.append("\n".join([f"# {how}: {name}", *lines]))
        whole += counts
        print(
            f"| `{path}` | {len(every[path])} | {len(some)} | {' | '.join(str(counts[how]) for how in HOW)} |"
        )
    all_, tried = sum(map(len, every.values())), sum(map(len, drawn.values()))
    print(f"| all | {all_} | {tried} | {' | '.join(str(whole[how]) for how in HOW)} |")
    if options.out:
        options.out.write_text("\n\n".join(survivors) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
