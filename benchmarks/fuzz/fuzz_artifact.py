"""Fuzz detector files (artifacts): each mutant gives a verdict or one error line, in bounded time and memory.

    python -m benchmarks.fuzz.fuzz_artifact --inputs 3000 --seed 1

Four kinds of input: bytes of the file changed or cut off; bytes of what it unpacks to; values of the
detector's state or manifest replaced by others (of wrong types, sizes, shapes, no numbers); the text of
LightGBM's trees damaged.

Each is read by a child of its own, which judges three texts that the weak models have read before and prints
the facts. A traceback, a signal, a probability that is none, or over a gigabyte is a failure.
"""

from __future__ import annotations

import copy
import io
import math
import os
import random
import re
import resource
import signal
import sys
import tempfile
import traceback
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from benchmarks.fuzz.fuzzing import Campaign, keep_input

JUDGED, REFUSED, FAILED = 0, 20, 30
NAMES = {JUDGED: "judged", REFUSED: "refused in one line"}
SECONDS = 60
MEMORY = 1 << 20  # KiB
TEXT = "The river was high that spring, and nobody in the town could say when it would go down again. " * 12
ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 2**31, 2**63, 10**300, -(10**300), 0.0, -0.0, 0.5, 1e308, 5e-324,
    math.nan, math.inf, -math.inf, "", "x", "nan", "1e999", "\x1b[2Jhidden\nline", "é" * 70_000, [], (), {},
    [[]], [None] * 3, {"a": 1}, ["strong.logprob s-avg"], ("", ""), ["/dev/zero", "/etc/passwd"],
    np.zeros(0), np.zeros(3), np.full(100, np.nan), np.zeros((100, 100), np.float32), np.ones(100, np.uint8),
    np.zeros((101, 100), np.float32), np.ones(()), -np.ones(100), np.full(100, 1e308),
)  # fmt: skip
ODD_NUMBERS = ("-1", "0", "1", "7", "99", "100", "2147483647", "-2147483648", "1e999", "nan", "", "x")


def contents(folder: Path) -> list[dict[str, Any]]:
    """What two sound detector files hold: the shipped one, and the same with trees for a head."""
    from ghostbuster.detector.artifact import load, save
    from ghostbuster.heads.lightgbm import LightGBMHead

    shipped = load()
    made = []
    for name in ("logistic", "lightgbm"):
        if name == "lightgbm":
            X = np.random.default_rng(0).normal(size=(400, len(shipped.features_)))
            head = LightGBMHead(max_trees=8).fit(X, (X[:, 0] + X[:, 1] > 0) * 0.8 + 0.1)
            shipped.set_params(head="lightgbm")
            object.__setattr__(shipped.trained_.scorer, "head", head)
        save(shipped, folder / f"{name}.joblib")
        made.append(joblib.load(folder / f"{name}.joblib"))
    return made


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where every value within containers stands; of long lists the first few."""
    if isinstance(value, dict):
        inner = [(key, value[key]) for key in value]
    else:
        inner = list(enumerate(value[:3])) if isinstance(value, list | tuple) else []
    return [path] * bool(path) + [place for key, one in inner for place in places(one, (*path, key))]


def replaced(value: Any, path: tuple[Any, ...], change: Callable[[Any], Any]) -> Any:
    """The same containers with the value at ``path`` changed."""
    if not path:
        return change(value)
    if isinstance(value, dict):
        return value | {path[0]: replaced(value[path[0]], path[1:], change)}
    items = list(value)
    items[path[0]] = replaced(items[path[0]], path[1:], change)
    return type(value)(items)


def odd_state(content: dict[str, Any], chance: random.Random) -> tuple[bytes, str]:
    """A value replaced, removed or, if an array, changed in one number."""
    part = chance.choice(["state", "state", "state", "manifest", "schema"])
    path = (part,) if part == "schema" else (part, *chance.choice(places(content[part])))
    how = chance.random()
    holder = content
    for key in path[:-1]:
        holder = holder[key]
    if how < 0.15 and isinstance(holder, dict):
        changed = replaced(content, path[:-1], lambda d: {k: v for k, v in d.items() if k != path[-1]})
    elif how < 0.4 and isinstance(holder[path[-1]], np.ndarray):
        changed = replaced(content, path, lambda array: _odd_number(array, chance))
    else:
        changed = replaced(content, path, lambda _: copy.deepcopy(chance.choice(ODD)))
    handle = io.BytesIO()
    joblib.dump(changed, handle)
    return handle.getvalue(), "state " + ".".join(map(str, path))


def _odd_number(array: Any, chance: random.Random) -> Any:
    made = np.array(array)
    if made.size:
        odd = [math.nan, math.inf, -math.inf, 1e308, -1.0, 0.0]
        made.flat[chance.randrange(made.size)] = chance.choice(odd)
    return made


def odd_trees(content: dict[str, Any], chance: random.Random) -> tuple[bytes, str]:
    """A detector whose trees' text is damaged."""
    text = odd_trees_text(content["state"]["head"]["trees"], chance)
    handle = io.BytesIO()
    joblib.dump(replaced(content, ("state", "head", "trees"), lambda _: text), handle)
    return handle.getvalue(), "trees"


def odd_trees_text(text: str, chance: random.Random) -> str:
    """Numbers, lines or characters of LightGBM's text changed."""
    for _ in range(chance.choice([1, 1, 2, 5])):
        how = chance.randrange(4)
        if how == 0:
            numbers = list(re.finditer(r"-?\d+(\.\d+)?(e-?\d+)?", text.partition("parameters:")[0]))
            one = chance.choice(numbers or [re.compile("").search(text)])
            text = text[: one.start()] + chance.choice(ODD_NUMBERS) + text[one.end() :]
        elif how == 1:
            lines = text.split("\n")
            at = chance.randrange(len(lines))
            lines[at : at + 1] = chance.choice([[], [lines[at]] * 2, [chance.choice(lines)], [""]])
            text = "\n".join(lines)
        elif how == 2:
            at = chance.randrange(len(text))
            odd = chance.choice(["\0", "é", " ", "=", "\n", "9", "-", text[at : at + 50]])
            text = text[:at] + odd + text[at + 1 :]
        else:
            text = text[: chance.randrange(len(text))]
    return text


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Bytes changed, put in, taken out or cut off."""
    raw = bytearray(data)
    how = chance.randrange(4)
    for _ in range(chance.choice([1, 1, 2, 8])):
        at = chance.randrange(len(raw))
        if how == 0:
            raw[at] ^= 1 << chance.randrange(8)
        elif how == 1:
            raw[at] = chance.randrange(256)
        elif how == 2:
            raw[at : at + chance.choice([0, 1, 8])] = chance.randbytes(chance.choice([1, 4, 8]))
        else:
            del raw[at + 1 :]
    return bytes(raw)


def mutated(sound: list[dict[str, Any]], packed: list[bytes], seed: int) -> tuple[bytes, str]:
    """The bytes of a mutated file, and what was changed."""
    chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
    which, kind = chance.randrange(2), chance.randrange(10)
    if kind == 0:
        return damaged(packed[which], chance), "file"
    if kind < 4:
        return zlib.compress(damaged(zlib.decompress(packed[which]), chance), 1), "content"
    plain, what = odd_trees(sound[1], chance) if kind < 6 else odd_state(sound[which], chance)
    return zlib.compress(plain, 1), what


def use(path: Path, reading: Any) -> int:
    """Read the file, judge, and print the facts, as the commands do."""
    from ghostbuster.cli import main
    from ghostbuster.detector.artifact import open_artifact
    from ghostbuster.errors import GhostbusterError
    from ghostbuster.report.formats.verdicts import VERDICT_FORMATS
    from ghostbuster.report.report import Report

    facts = [main(["info", str(path), "--format", form]) for form in ("table", "json")]
    if not {0, 2}.issuperset(facts):
        raise RuntimeError(f"info ended with {facts}")
    try:
        opened = open_artifact(path)
        classifier = opened.classifier()
        verdicts = classifier.judge_reading(reading)
        report = Report(["a", "b", "c"], verdicts, opened.identity, classifier.threshold_)
        shown = [render(report) for render in VERDICT_FORMATS.values()]
    except GhostbusterError as error:
        if "\n" in str(error) or len(str(error)) > 1000:
            raise RuntimeError("not one clear line") from error
        return REFUSED
    for verdict in verdicts:
        unjudged = math.isnan(verdict.probability) and verdict.label == "unsure"
        if not (0 <= verdict.probability <= 1 or unjudged):
            raise RuntimeError(f"a verdict that is none: {verdict}")
    if any("\x1b" in text for text in shown):
        raise RuntimeError("a report that steers terminals")
    return JUDGED


def use_in_child(path: Path, said: Path, reading: Any) -> tuple[int, int]:
    """Exit status of a child that uses the file, negative for a signal; and its memory in KiB."""
    child = os.fork()
    if child:
        _, status, used = os.wait4(child, 0)
        return os.waitstatus_to_exitcode(status), used.ru_maxrss
    out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.alarm(SECONDS)
    try:
        code = use(path, reading)
    except BaseException:  # noqa: BLE001 - whatever it is, it is the finding
        traceback.print_exc()
        code = FAILED
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def fuzz(folder: Path, n_inputs: int, seed: int, keep: Path | None = None) -> dict[str, int]:
    """Outcomes and how often each came."""
    from ghostbuster.detector.artifact import load
    from ghostbuster.reading.cache import remember_scores

    with remember_scores(folder):
        reading = load().read([TEXT, "too short", TEXT[::-1]])
    sound = contents(folder)
    packed = [(folder / f"{name}.joblib").read_bytes() for name in ("logistic", "lightgbm")]
    tally: Counter[str] = Counter()
    path, said = folder / "input.joblib", folder / "said.txt"
    for i in range(n_inputs):
        data, what = mutated(sound, packed, seed * 10_000_000 + i)
        path.write_bytes(data)
        status, memory = use_in_child(path, said, reading)
        bad = status not in NAMES or memory > MEMORY
        tally[NAMES.get(status, f"died of signal {-status}" if status < 0 else "failed")] += 1
        tally["MiB at most"] = max(tally["MiB at most"], memory >> 10)
        if bad:
            tally["bad"] += 1
            end = said.read_text(errors="replace").strip()[-500:].replace("\n", " / ")
            print(f"{i} {what}: {status}, {memory >> 10} MiB: {end}", flush=True)
            keep_input(keep, f"{seed}-{i}.joblib", data)
    return dict(sorted(tally.items()))


def main() -> None:
    campaign = Campaign(__doc__)
    os.environ["OMP_NUM_THREADS"] = (
        "1"  # children are forked: a pool of LightGBM's threads would not be there
    )
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        tally = fuzz(Path(name), campaign.n_inputs, campaign.seed, campaign.keep)
    campaign.tell(tally)
    raise SystemExit(1 if tally.get("bad") else 0)


if __name__ == "__main__":
    main()
