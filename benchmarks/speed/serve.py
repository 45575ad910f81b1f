"""``ghostbuster serve`` under load: throughput beside ``score-table``'s, latency, memory, a flood.

    python -m benchmarks.speed.serve --rounds 3

* ``rounds``: ``score-table`` on a table, then the server asked for each of its texts by 50 clients at once.
  Whatever else the machine does, both meet it. Start-up is counted apart: the time for a table of one row is
  subtracted from that of the table. Every text must be answered once, and exactly as in the table.
* ``flood``: ten times as many requests as the queue holds, on 800 connections; later by a second a plain one.

Texts are passages of the file given, each with a number of its own. All addresses are this computer's. What
it finds goes to ``docs/data/performance-serve.json``.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.serving import Served
from benchmarks.speed.table import LICENCE, make_table

OUT = Path(__file__).resolve().parents[2] / "docs" / "data" / "performance-serve.json"
N_CLIENTS = 50
N_CONNECTIONS = 800
QUEUE = 256
LOOK_SECONDS = 0.25


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def table_seconds(source: Path, output: Path) -> float:
    """Seconds of one ``score-table``."""
    output.unlink(missing_ok=True)
    command = [sys.executable, "-m", "ghostbuster.cli", "score-table", source, "-o", output]
    started = time.monotonic()
    subprocess.run([*command, "--model", "lite", "--no-cache", "--quiet"], check=True)
    return time.monotonic() - started


class Watch:
    """Looks at a server's memory while a block runs."""

    def __init__(self, server: Served) -> None:
        self.server, self.seen = server, []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> list[tuple[float, int]]:
        self.seen: list[tuple[float, int]] = []
        self._thread.start()
        return self.seen

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        started = time.monotonic()
        while not self._over.wait(LOOK_SECONDS):
            self.seen.append((time.monotonic() - started, self.server.memory()))


def ask_all(server: Served, rows: list[dict[str, str]]) -> tuple[float, list[float], list[dict[str, Any]]]:
    """Seconds in all, seconds of each request, and every answer, from clients that each keep a connection."""
    latencies: list[float] = []
    answers: list[dict[str, Any]] = []
    local = threading.local()

    def ask(row: dict[str, str]) -> None:
        if not hasattr(local, "connection"):
            local.connection = http.client.HTTPConnection(server.host, server.port, timeout=600)
        started = time.monotonic()
        body = json.dumps({"text": row["text"], "path": row["id"]})
        local.connection.request("POST", "/v1/verdicts", body, {"Content-Type": "application/json"})
        found = local.connection.getresponse()
        content = json.loads(found.read())
        if found.status != 200:
            raise RuntimeError(f"{found.status}: {content}")
        latencies.append(time.monotonic() - started)
        answers.append(content)

    started = time.monotonic()
    with ThreadPoolExecutor(N_CLIENTS) as clients:
        list(clients.map(ask, rows))
    return time.monotonic() - started, latencies, answers


def check(answers: list[dict[str, Any]], scored: Path) -> dict[str, int]:
    """How many texts were lost, answered twice, or answered otherwise than in the table."""
    seen = Counter(answer["path"] for answer in answers)
    expected = {row["id"]: row["probability"] for row in rows_of(scored)}
    found = {answer["path"]: answer["probability"] for answer in answers}
    return {
        "lost": len(expected.keys() - seen.keys()),
        "doubled": sum(count > 1 for count in seen.values()),
        "different": sum(float(expected[path]) != value for path, value in found.items()),
    }


def run_round(server: Served, source: Path, folder: Path, start_up: float) -> dict[str, Any]:
    rows = rows_of(source)
    scored = folder / "scored.csv"
    by_table = table_seconds(source, scored) - start_up
    with Watch(server) as seen:
        by_server, latencies, answers = ask_all(server, rows)
    cut = statistics.quantiles(latencies, n=100)
    half = [bytes_ for at, bytes_ in seen if at > by_server / 2]
    made = {
        "requests": len(rows),
        "table_texts_a_second": len(rows) / by_table,
        "server_texts_a_second": len(rows) / by_server,
        "share": by_table / by_server,
        "latency_seconds": {"p50": cut[49], "p95": cut[94], "p99": cut[98]},
        "memory_mb": {
            "begin": seen[0][1] / 1e6,
            "half": half[0] / 1e6,
            "end": seen[-1][1] / 1e6,
            "most": max(bytes_ for _, bytes_ in seen) / 1e6,
        },
        **check(answers, scored),
    }
    print(json.dumps(made, indent=2), flush=True)
    return made


async def one_request(server: Served, text: str) -> tuple[int, int]:
    """Status and ``Retry-After`` of a request on a connection of its own."""
    reader, writer = await asyncio.open_connection(server.host, server.port)
    body = json.dumps({"text": text}).encode()
    head = (
        f"POST /v1/verdicts HTTP/1.1\r\nHost: {server.host}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode() + body)
    found = (await reader.read()).decode()
    writer.close()
    wait = next((line.split()[1] for line in found.splitlines() if line.startswith("retry-after")), "0")
    return int(found.split(" ", 2)[1]), int(wait)


async def flooded(server: Served, texts: list[str]) -> list[tuple[int, int]]:
    gate = asyncio.Semaphore(N_CONNECTIONS)

    async def ask(text: str) -> tuple[int, int]:
        async with gate:
            return await one_request(server, text)

    return await asyncio.gather(*(ask(text) for text in texts))


def flood(server: Served, texts: list[str]) -> dict[str, Any]:
    def alone() -> float:
        started = time.monotonic()
        answer = server.post_json({"text": texts[0]})
        if answer.status != 200:
            raise RuntimeError(f"a plain request got {answer.status}")
        return time.monotonic() - started

    before = statistics.median(alone() for _ in range(5))
    memory = server.memory()
    with Watch(server) as seen:
        statuses = asyncio.run(flooded(server, texts))
    time.sleep(1)
    after = alone()
    made = {
        "requests": len(texts),
        "answered": sum(status == 200 for status, _ in statuses),
        "told_to_come_again": sum(status == 429 for status, _ in statuses),
        "other": sum(status not in {200, 429} for status, _ in statuses),
        "retry_after_seconds": [
            min(w for s, w in statuses if s == 429),
            max(w for s, w in statuses if s == 429),
        ],
        "alone_before_seconds": before,
        "a_second_later_seconds": after,
        "memory_mb": {"before": memory / 1e6, "most": max(bytes_ for _, bytes_ in seen) / 1e6},
    }
    print(json.dumps(made, indent=2), flush=True)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=1_000)
    parser.add_argument("--words", type=int, default=300)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, single = folder / "texts.csv", folder / "one.csv"
        make_table(source, given.requests, given.words, LICENCE)
        make_table(single, 1, given.words, LICENCE)
        start_up = statistics.median(table_seconds(single, folder / "one-scored.csv") for _ in range(3))
        options = ["--model", "lite", "--queue", str(QUEUE), "--workers", str(given.workers)]
        with Served(*options) as server:
            ask_all(server, rows_of(source)[:100])  # everything is loaded and warm
            rounds = [run_round(server, source, folder, start_up) for _ in range(given.rounds)]
            texts = [row["text"] for row in rows_of(source)]
            many = (texts * (10 * QUEUE // len(texts) + 1))[: 10 * QUEUE]
            found = {
                "machine": {"cores": os.cpu_count(), "load_before": load, "load_after": os.getloadavg()[0]},
                "clients": N_CLIENTS,
                "words": given.words,
                "workers": given.workers,
                "share_median": statistics.median(one["share"] for one in rounds),
                "rounds": rounds,
                "flood": flood(server, many),
            }
            code, complaints = server.stop()
            if code or complaints:
                raise SystemExit(f"the server ended with {code}: {complaints}")
    OUT.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
