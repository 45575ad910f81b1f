import csv
import io
import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghostbuster.decision.thresholds import Threshold
from ghostbuster.decision.verdict import Evidence, Verdict
from ghostbuster.detector.passages import Passage, Passages
from ghostbuster.errors import SettingError
from ghostbuster.metrics.classification import Estimate
from ghostbuster.report.formats.facts import FACT_FORMATS
from ghostbuster.report.formats.verdicts import VERDICT_FORMATS, verdict_format
from ghostbuster.report.report import Report
from ghostbuster.report.wording import share_in_words

PROMISE = Threshold(rate=0.01, probability=0.943, fpr=Estimate(0.0097, 0.0071, 0.0132), n_human=4312)
VERDICTS = (
    Verdict(0.02125, "human", ("probability 0.021 is below 0.500",), 420, 1325),
    Verdict(
        0.99131,
        "machine",
        ("at or above 0.943",),
        400,
        313,
        (Evidence("strong.logprob mean", -2.5, 0.75),),
        (Evidence("reader states", 1.5, 0.5, "inside"),),
        0.943,
    ),
    Verdict(math.nan, "unsure", ("too short: 12 tokens", "2 invisible marks were removed"), 12, 9),
)
REPORT = Report(("a.txt", "b.txt", "c.txt"), VERDICTS, "default@1f0c4a5b6d7e", PROMISE)

PATHS = st.text(st.characters(codec="utf-8"), max_size=60)


def test_json_holds_every_field_of_every_verdict():
    assert json.loads(VERDICT_FORMATS["json"](REPORT))[1] == {
        "path": "b.txt",
        "probability": 0.99131,
        "label": "machine",
        "reasons": ["at or above 0.943"],
        "n_tokens": 400,
        "n_words": 313,
        "model": "default@1f0c4a5b6d7e",
        "device": "CPU",
        "threshold": 0.943,
        "readers": [{"feature": "reader states", "value": 1.5, "contribution": 0.5, "meaning": "inside"}],
        "evidence": [{"feature": "strong.logprob mean", "value": -2.5, "contribution": 0.75, "meaning": ""}],
    }


def test_a_text_that_was_not_judged_has_no_number_in_any_form():
    assert json.loads(VERDICT_FORMATS["json"](REPORT))[2]["probability"] is None
    assert json.loads(VERDICT_FORMATS["jsonl"](REPORT).splitlines()[2])["probability"] is None
    assert list(csv.DictReader(io.StringIO(VERDICT_FORMATS["csv"](REPORT))))[2]["probability"] == ""
    assert VERDICT_FORMATS["table"](REPORT).splitlines()[6].split() == ["c.txt", "unsure", "-", "9"]


def test_the_table_reads_as_a_person_expects(monkeypatch):
    monkeypatch.setenv("COLUMNS", "90")
    assert VERDICT_FORMATS["table"](REPORT) == (
        "file   verdict          probability       words\n"
        "-----------------------------------------------\n"
        "a.txt  human-written          0.021       1,325\n"
        "  - probability 0.021 is below 0.500\n"
        "b.txt  machine-written        0.991         313\n"
        "  - at or above 0.943\n"
        "c.txt  unsure                     -           9\n"
        "  - too short: 12 tokens\n"
        "  - 2 invisible marks were removed\n"
        "\n"
        "Probability: that a machine wrote the text, were machine and human texts equally common. A\n"
        "text is called machine-written from 0.943 on: 0.97 % of 4,312 texts by people, held out of\n"
        "training, scored that high (95 % interval 0.71 % to 1.3 %). A verdict is a reason to look\n"
        "closer, not evidence by itself. Detector: default@1f0c4a5b6d7e."
    )


def test_the_table_prints_a_share_near_one_as_a_share(monkeypatch):
    monkeypatch.setenv("COLUMNS", "110")
    unproven = replace(PROMISE, fpr=Estimate(0.0, 0.0, 0.9987), n_human=1)
    printed = " ".join(VERDICT_FORMATS["table"](replace(REPORT, threshold=unproven)).split())
    assert "(95 % interval 0 % to 99.9 %)" in printed


@pytest.mark.parametrize("name", VERDICT_FORMATS)
@given(path=PATHS)
def test_every_form_keeps_one_row_a_text_whatever_a_file_is_called(name, path):
    shown = VERDICT_FORMATS[name](Report((path,), VERDICTS[:1], "m", PROMISE))
    if name == "table":
        assert all(line.isprintable() for line in shown.split("\n"))
        assert len([line for line in shown.split("\n") if "human-written" in line and "0.021" in line]) == 1
    elif name == "csv":
        (row,) = csv.DictReader(io.StringIO(shown, newline=""))
        assert row["path"] == path
    else:
        rows = json.loads(shown)
        assert (rows[0] if name == "json" else rows)["path"] == path


@pytest.mark.parametrize("columns", [20, 60, 80, 110, 300])
@pytest.mark.parametrize("path", ["a", "long/" * 40 + "name.txt", "論文/" * 30])
def test_no_line_of_the_table_is_wider_than_the_terminal_or_110(monkeypatch, columns, path):
    monkeypatch.setenv("COLUMNS", str(columns))
    shown = VERDICT_FORMATS["table"](Report((path,), VERDICTS[:1], "m", PROMISE))
    assert max(map(len, shown.splitlines())) <= min(max(columns, 60), 110)
    assert path[-2:] in shown


def test_no_text_makes_no_row():
    empty = Report((), (), "m", PROMISE)
    assert json.loads(VERDICT_FORMATS["json"](empty)) == []
    assert VERDICT_FORMATS["jsonl"](empty) == ""
    assert VERDICT_FORMATS["csv"](empty).count("\n") == 0


def test_an_unknown_form_names_the_nearest():
    with pytest.raises(
        SettingError, match="'jsnl'; expected one of 'table', 'json', 'jsonl', 'csv'; did you mean 'json"
    ):
        verdict_format("jsnl")


def test_facts_are_an_outline_that_loses_nothing():
    facts = {
        "digest": "ab" * 32,
        "features": ["strong.logprob mean", "weak.rank q50"],
        "thresholds": [{"rate": 0.01, "probability": 0.943, "n_human": 4312}],
        "data": {"n_human": 4312, "sources": {"essays": {"n_human": 126, "n_machine": 126}}},
    }
    assert json.loads(FACT_FORMATS["json"](facts)) == facts
    assert FACT_FORMATS["table"](facts) == (
        f"digest: {'ab' * 32}\n"
        "features (2):\n"
        "  - strong.logprob mean\n"
        "  - weak.rank q50\n"
        "thresholds (1):\n"
        "  - rate 0.01, probability 0.943, n human 4,312\n"
        "data:\n"
        "  n human: 4,312\n"
        "  sources:\n"
        "    essays: n human 126, n machine 126"
    )


def along(low, high, value=0.4, doubts=()):
    windows = (Passage(0, 900, 0, 200, 0.4, doubts), Passage(400, 1300, 100, 300, 0.7, doubts))
    sentences = (Passage(0, 1300, 0, 300, 0.55),)
    return Passages(windows, sentences, share=Estimate(value, low, high))


def test_passages_stand_in_json_where_they_were_asked_for():
    none = Passages((), (), "too short: 12 tokens")
    report = replace(REPORT, passages=(along(0.1, 0.6), along(0.0, 1.0), none))
    rows = json.loads(VERDICT_FORMATS["json"](report))
    assert rows[0]["passages"]["machine_share"] == {"value": 0.4, "low": 0.1, "high": 0.6}
    assert rows[0]["passages"]["windows"][1] == {
        "start": 400, "end": 1300, "first": 100, "last": 300, "probability": 0.7, "doubts": []
    }  # fmt: skip
    assert rows[0]["passages"]["sentences"] == [
        {"start": 0, "end": 1300, "first": 0, "last": 300, "probability": 0.55}
    ]
    assert rows[2]["passages"] == {
        "machine_share": None, "reason": "too short: 12 tokens", "windows": [], "sentences": []
    }  # fmt: skip
    assert "passages" not in json.loads(VERDICT_FORMATS["json"](REPORT))[0]
    assert VERDICT_FORMATS["csv"](report) == VERDICT_FORMATS["csv"](REPORT)


def test_a_table_says_a_share_with_its_interval_and_no_more_than_it_carries():
    none = Passages((), (), "too short: 12 tokens")
    report = replace(REPORT, passages=(along(0.1, 0.6), along(0.05, 0.95), none))
    text = " ".join(VERDICT_FORMATS["table"](report).split())
    assert "a machine wrote: 10 % to 60 % (95 % interval), most likely 40 %, by 2 windows" in text
    assert "stays open: 2 windows allow a share of 5 % to 95 %" in text
    assert "No share of machine-written passages: too short: 12 tokens" in text


def test_windows_with_doubts_are_not_counted_in_words():
    doubtful = replace(along(0.0, 0.2, doubts=("odd",)), share=None)
    assert "every window is unlike" in share_in_words(doubtful)
