"""`score-table` on a large table: throughput, memory, resuming after SIGKILL; training from the cache.

    python benchmarks/speed/table.py --rows 100000 --kills 10 --output docs

* ``rate``: ``score-table`` on the first rows of the table against the weak models alone (``Panel.score``) on
  the same texts in the same pieces, each in a process of its own, round after round; the median of the
  rounds' ratios. Start-up is counted apart: the engine's clock begins when its models are loaded, the
  table's with its first piece.
* ``whole``: ``score-table`` on the whole table, its memory looked at all the while.
* ``kills``: the same command again and again, killed with SIGKILL after a random time, until it ends by
  itself; the output is compared with that of the run in one go.
* ``again``: ``fit`` twice on labelled texts, the time inside the weak models (and the store) each time.

The texts are passages of the file given, each with a number of its own, so that no two are alike. What it
finds goes to ``data/performance-table.json`` and ``images/performance-table-memory.svg`` in the output
folder; what is not measured again keeps its figures.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LICENCE = Path(__file__).parents[2] / "LICENSE"
SEED = 20240607
LOOK_SECONDS = 0.5  # between two looks at the memory


def make_table(path: Path, n_rows: int, n_words: int, source: Path) -> None:
    """A CSV file of texts of about ``n_words`` words."""
    words = source.read_text("utf-8").split()
    chance = random.Random(SEED)  # noqa: S311 - chance, not secrets
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["id", "text"])
        for i in range(n_rows):
            start = chance.randrange(len(words) - n_words)
            writer.writerow([f"{i:07d}", f"Text {i}: " + " ".join(words[start : start + n_words])])


def command(source: Path, output: Path) -> list[str]:
    return [
        sys.executable,
        "-m",
        "ghostbuster.cli",
        "score-table",
        str(source),
        "-o",
        str(output),
        "--no-cache",
    ]


def memory_of(pid: int) -> float:
    """MiB of a process that are its own: not the models' files, which are mapped, nor other mapped files."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
    return 0.0


def cpu_of_children() -> float:
    """CPU seconds of all processes that were started here and have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def start_up(folder: Path) -> float:
    """CPU seconds of a table of one short text: what a run costs before its first row."""
    (folder / "one.csv").write_text("id,text\n0,Short.\n")
    before = cpu_of_children()
    subprocess.run(command(folder / "one.csv", folder / "one-scored.csv"), check=True)
    return cpu_of_children() - before


def watch(source: Path, output: Path) -> dict[str, object]:
    """A run in one go: seconds from its first piece to its end, and its memory."""
    journal = output.with_name(output.name + ".partial")
    before = cpu_of_children()
    began = time.perf_counter()
    first = rows_of_first = None
    journal_bytes = 0
    memory: list[tuple[float, float]] = []
    child = subprocess.Popen(command(source, output))
    while child.poll() is None:
        try:
            if not memory or time.perf_counter() - began - memory[-1][0] > LOOK_SECONDS:
                memory.append((time.perf_counter() - began, memory_of(child.pid)))
            journal_bytes = max(journal_bytes, journal.stat().st_size)
            if first is None and journal.read_bytes().count(b"\n") > 1:
                first = time.perf_counter()
                rows_of_first = sum(
                    len(json.loads(line[9:])[1]) for line in journal.read_bytes().splitlines()[1:]
                )
        except (FileNotFoundError, ProcessLookupError):
            pass
        time.sleep(0.05)
    if child.returncode or first is None or rows_of_first is None:
        raise SystemExit(f"score-table ended with {child.returncode}: give more rows")
    end = time.perf_counter()
    return {
        "wall": end - began,
        "wall_after_first_piece": end - first,
        "rows_of_first_piece": rows_of_first,
        "cpu": cpu_of_children() - before,
        "journal_bytes": journal_bytes,
        "memory": memory,
    }


def engine(source: Path) -> None:
    """The weak models alone, in the pieces that the table is scored in; prints seconds and CPU seconds."""
    from ghostbuster.models.panel import open_panel
    from ghostbuster.tables.registry import open_reader
    from ghostbuster.tables.scoring import _batch
    from ghostbuster.text.prepare import prepare

    rows = open_reader(source, "id", "text").texts("text")
    pieces = []
    while piece := list(_batch(rows)):
        pieces.append([prepare(text).text for text, _ in piece])
    panel = open_panel()
    panel.score(pieces[0][:8])
    wall, cpu = time.perf_counter(), time.process_time()
    n_tokens = 0
    for texts in pieces:
        n_tokens += panel.score(texts)["strong"].ends.size
    print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu, n_tokens]))


def kill(source: Path, output: Path, n_kills: int, journal_bytes: int) -> int:
    """SIGKILL at ``n_kills`` random moments, then to the end; how often it was killed.

    A moment is a random size of the journal, and a random part of a second later.
    """
    chance = random.Random(SEED)  # noqa: S311 - chance, not secrets
    journal = output.with_name(output.name + ".partial")
    killed = 0
    for size in [*sorted(chance.uniform(0, 0.99) * journal_bytes for _ in range(n_kills)), None]:
        child = subprocess.Popen(command(source, output))
        while child.poll() is None:
            time.sleep(0.02)
            if size is not None and journal.exists() and journal.stat().st_size >= size:
                time.sleep(chance.uniform(0, 1))
                child.kill()
                killed += child.wait() == -signal.SIGKILL
                break
        if child.returncode not in (0, -signal.SIGKILL):
            raise SystemExit(f"score-table ended with {child.returncode}")
    return killed


def train_twice(n_pairs: int, source: Path) -> dict[str, float]:
    """Seconds of fitting and seconds inside the weak models or the store: first, then again."""
    from ghostbuster import remember_scores
    from ghostbuster.detector.classifier import GhostbusterClassifier
    from ghostbuster.reading import read as reading

    words = source.read_text("utf-8").split()
    chance = random.Random(SEED)  # noqa: S311 - chance, not secrets
    texts, labels, groups = [], [], []
    for i in range(n_pairs):
        start = chance.randrange(len(words) - 200)
        some = words[start : start + 200]
        texts += [" ".join(some), " ".join(chance.sample(some, len(some)))]
        labels += [0, 1]
        groups += [i, i]
    spent = 0.0
    inner = reading.cached_scores

    def timed(*arguments: object) -> object:
        nonlocal spent
        start = time.perf_counter()
        try:
            return inner(*arguments)
        finally:
            spent += time.perf_counter() - start

    reading.cached_scores = timed
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in ("first", "again"):
            spent, start = 0.0, time.perf_counter()
            with remember_scores(folder):
                GhostbusterClassifier(space="zeroshot", max_features=5).fit(texts, labels, groups=groups)
            found |= {f"{name}_fit": time.perf_counter() - start, f"{name}_scores": spent}
        found["store_bytes"] = (Path(folder) / "scores.sqlite").stat().st_size
    return found


def draw(memory: list[tuple[float, float]], path: Path) -> None:
    """Memory over time as a small picture."""
    width, height, left, bottom = 640, 240, 60, 40
    end, top = memory[-1][0], max(100.0, 1.2 * max(value for _, value in memory))

    def at(seconds: float, value: float) -> str:
        x = left + (width - left - 10) * seconds / end
        return f"{x:.1f},{(height - bottom) * (1 - value / top) + 5:.1f}"

    step = max(1, len(memory) // 400)
    line = " ".join(at(*point) for point in memory[::step])
    marks = "".join(
        f'<text x="{left - 6}" y="{float(at(0, top * i / 4).split(",")[1]) + 4:.1f}" text-anchor="end">'
        f"{top * i / 4:.0f}</text>"
        for i in range(5)
    ) + "".join(
        f'<text x="{at(end * i / 4, 0).split(",")[0]}" y="{height - bottom + 20}" text-anchor="middle">'
        f"{end * i / 4:.0f}</text>"
        for i in range(5)
    )
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="11"><rect width="100%" height="100%" fill="#fff"/><title>Memory of score-table</title>'
        f'<polyline points="{at(0, top)} {at(0, 0)} {at(end, 0)}" fill="none" stroke="#888"/>{marks}'
        f'<text x="{width / 2}" y="{height - 4}" text-anchor="middle">seconds</text>'
        f'<text x="{left + 6}" y="16">MiB of its own</text>'
        f'<polyline points="{line}" fill="none" stroke="#0a58ca" stroke-width="1.5"/></svg>\n'
    )


def rate(source: Path, folder: Path, n_rows: int, start_up_cpu: float) -> dict[str, float]:
    """One round: the engine, then the table."""
    done = subprocess.run(
        [sys.executable, __file__, "--engine", str(source)], check=True, stdout=subprocess.PIPE, text=True
    )
    wall, cpu, n_tokens = json.loads(done.stdout)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        seen = watch(source, Path(name) / "out.csv")
    rows_a_second = (n_rows - seen["rows_of_first_piece"]) / seen["wall_after_first_piece"]
    return {
        "ratio": rows_a_second * wall / n_rows,
        "cpu_ratio": cpu / (seen["cpu"] - start_up_cpu),
        "rows_a_second": rows_a_second,
        "engine_rows_a_second": n_rows / wall,
        "engine_cpu_us_a_token": 1e6 * cpu / n_tokens,
        "tokens_a_row": n_tokens / n_rows,
    }


def rates(folder: Path, wanted: argparse.Namespace) -> dict[str, object]:
    """Rounds on a table of their own, and their medians."""
    make_table(folder / "part.csv", wanted.round_rows, wanted.words, wanted.file)
    start_up_cpu = start_up(folder)
    rounds = [
        rate(folder / "part.csv", folder, wanted.round_rows, start_up_cpu) for _ in range(wanted.rounds)
    ]
    medians = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
    return {
        "rows": wanted.round_rows,
        "cores": os.cpu_count(),
        "start_up_cpu": start_up_cpu,
        "rounds": rounds,
        "median": medians,
    }


def whole(folder: Path, wanted: argparse.Namespace) -> tuple[dict[str, object], list[tuple[float, float]]]:
    """The whole table in one go and killed; the figures, and the memory over time."""
    make_table(folder / "in.csv", wanted.rows, wanted.words, wanted.file)
    seen = watch(folder / "in.csv", folder / "whole.csv")
    memory = seen.pop("memory")
    seen |= {"rows": wanted.rows, "words": wanted.words, "cores": os.cpu_count()}
    for share in (10, 50, 100):
        seen[f"memory_at_{share}_percent"] = memory[max(0, len(memory) * share // 100 - 2)][1]
    if wanted.kills:
        seen["kills"] = kill(folder / "in.csv", folder / "cut.csv", wanted.kills, seen["journal_bytes"])
        seen["same_bytes"] = (folder / "cut.csv").read_bytes() == (folder / "whole.csv").read_bytes()
    return seen, memory


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000, help="of the whole table; 0 for none")
    parser.add_argument("--words", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5, help="of the rate; 0 for none")
    parser.add_argument("--round-rows", type=int, default=2_000)
    parser.add_argument("--kills", type=int, default=10, help="0 for none")
    parser.add_argument("--pairs", type=int, default=100, help="labelled pairs to train on; 0 for none")
    parser.add_argument("--file", type=Path, default=LICENCE, help="where the words are from")
    parser.add_argument("--output", type=Path, help="folder for the figures and the picture")
    parser.add_argument("--engine", type=Path, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.engine:
        engine(wanted.engine)
        return
    for folder in (wanted.output / "data", wanted.output / "images") if wanted.output else ():
        folder.mkdir(parents=True, exist_ok=True)
    figures = wanted.output / "data" / "performance-table.json" if wanted.output else None
    found: dict[str, object] = json.loads(figures.read_text()) if figures and figures.exists() else {}
    with tempfile.TemporaryDirectory() as name:
        if wanted.rounds:
            found["rate"] = rates(Path(name), wanted)
        if wanted.rows:
            found["whole"], memory = whole(Path(name), wanted)
            if wanted.output:
                draw(memory, wanted.output / "images" / "performance-table-memory.svg")
    if wanted.pairs:
        found["again"] = train_twice(wanted.pairs, wanted.file)
    print(json.dumps(found, indent=2))
    if figures:
        figures.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
