"""What strangers send is answered as the documents say, and the next request as if nothing had been."""

from contextlib import ExitStack

import pytest

from benchmarks.faults.hostile_requests import ATTEMPTS, PAGE, Servers, start, still_answers

SHORT = {"head_seconds": 1.0, "idle_seconds": 2.0, "body_seconds": 3.0}
SLOW = ("a body of 1 GB, in chunks", "a line of NDJSON that never ends", "NDJSON that never ends")
"""These take ten seconds each; the command that makes the table tries them."""


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    with ExitStack() as stack:
        made = start(stack, tmp_path_factory.mktemp("hostile"), **SHORT)
        yield made
        for one in (made.plain, made.guarded):
            assert one.stop() == (0, "")


@pytest.mark.parametrize(
    "attempt", [one for one in ATTEMPTS if one.name not in SLOW], ids=lambda one: one.name
)
def test_it_is_answered_as_the_table_says(servers: Servers, attempt):
    assert attempt.run(servers).startswith(attempt.expected)
    assert still_answers(servers)


def test_the_table_lists_every_attempt():
    table = PAGE.read_text("utf-8")
    for attempt in ATTEMPTS:
        assert f"| {attempt.name} | {attempt.expected}" in table, attempt.name
