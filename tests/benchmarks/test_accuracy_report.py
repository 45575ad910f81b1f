import json
import re
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.accuracy import report as command
from benchmarks.accuracy.report_parts.aims import Aim, aims_of
from benchmarks.accuracy.report_parts.answers import (
    ALL,
    RATES,
    TFIDF,
    Answers,
    Asked,
    answers_of,
    asked_of,
    lite_answers,
)
from benchmarks.accuracy.report_parts.cells import percent, plain_share
from benchmarks.accuracy.report_parts.figures import (
    by_length,
    calibration,
    everything,
    of_people,
    promises,
    share,
)
from benchmarks.accuracy.report_parts.hard import hard_examples
from benchmarks.accuracy.report_parts.kinds import FROM_PROMPT, in_group, made_by, maker_of, year_of
from benchmarks.accuracy.report_parts.lines import ten_lines
from benchmarks.accuracy.report_parts.page import page
from benchmarks.accuracy.report_parts.readme import BEGIN, END, readme_section, write_section
from benchmarks.accuracy.report_parts.statistics import NAMES, zero_shot
from benchmarks.accuracy.unseen import HeldOut, answers
from benchmarks.results import Results
from ghostbuster.errors import InputError
from ghostbuster.metrics.classification import auroc, clopper_pearson
from training.data.labelled import LabelledText
from training.data.read_corpus import Corpus

SOURCES = ("outfox", "uppsala", "detectrl", "debate", "cuad")
N = 200  # whole texts a source; as many passages


def held_out(seed=0):
    """Readers that know the class, of three sources of both classes, one of machines, one of people."""
    rng = np.random.default_rng(seed)
    n = 2 * N * len(SOURCES)
    sources = np.repeat(SOURCES, 2 * N)
    y = np.where(sources == "debate", 1, np.where(sources == "cuad", 0, np.arange(n) % 2))
    parts = rng.normal(size=(n, 3)) + 2.5 * y[:, None]
    rows = {
        "y": y,
        "weights": np.where(sources == "cuad", 0.0, 1.0),
        "groups": np.arange(n) // 2,
        "n_tokens": np.where(np.arange(n) % 10 == 0, 60, 250),
        "is_crop": np.tile(np.arange(2 * N) >= N, len(SOURCES)),
        "key": np.array([f"text {i}" for i in range(n)]),
        "sources": sources,
        "files": sources,
        "domains": np.where(sources == "outfox", "essay", "mixed"),
        "generators": np.where(
            y == 1, np.where(np.arange(n) % 3 == 0, "gpt-5.4", "chatgpt-2022-12"), "human"
        ),
        "attacks": np.where(sources == "detectrl", "paraphrase_dipper_llm", "none"),
    }
    return HeldOut(parts, rows, ("features", "words", "states"))


def asked(made):
    words = np.where(made.rows["n_tokens"] < 100, 50, np.where(made.rows["is_crop"], 100, 200))
    registers = np.where(made.rows["sources"] == "outfox", "essay", "")
    return Asked({**made.rows, "n_words": words, "registers": registers}, [""] * words.size)


@pytest.fixture(scope="module")
def told():
    made = held_out()
    baseline = replace(made, parts=np.random.default_rng(1).normal(size=(made.rows["y"].size, 1)))
    return {
        ALL: answers_of(made, [0, 1, 2]),
        "words alone": answers_of(made, [1]),
        TFIDF: answers_of(baseline, [0]),
    }


@pytest.fixture(scope="module")
def found(told):
    made = asked(held_out())
    figures = everything(made, told, log=lambda _: None)
    return json.loads(json.dumps(figures | {"hard": hard_examples(made, told)}))


def test_each_source_is_answered_by_what_the_others_taught(told):
    made = held_out()
    here = made.rows["sources"] == "uppsala"
    raw, called = answers(made, [0, 1, 2], "uppsala")
    assert told[ALL].raw[here].tolist() == raw.tolist()
    assert told[ALL].called[0.01][here].tolist() == called.tolist()
    assert told[ALL].called[0.05].sum() > told[ALL].called[0.01].sum() >= told[ALL].called[0.001].sum()


def test_shares_are_exact_intervals_of_the_texts_asked_about():
    called, of = np.array([1, 1, 0, 0, 1], bool), np.array([1, 0, 1, 1, 1], bool)
    one = share(called, of)
    expected = clopper_pearson(2, 4)
    assert (one["value"], one["low"], one["high"], one["n"]) == (0.5, expected.low, expected.high, 4)
    assert share(called, np.zeros(5, bool)) is None


def test_only_whole_texts_long_enough_for_a_verdict_are_counted(found):
    rows = held_out().rows
    able = ~rows["is_crop"] & (rows["n_tokens"] >= 100) & (rows["y"] == 0)
    assert found["promises"]["0.01"]["all"]["n"] == able.sum()
    assert found["people"]["school pupils"]["accused"]["n"] == np.sum(able & (rows["sources"] == "outfox"))
    assert found["n_texts"] == N * len(SOURCES)


def test_figures_of_a_source_are_those_of_its_own_texts(told, found):
    rows = held_out().rows
    here = ~rows["is_crop"] & (rows["sources"] == "outfox")
    one = found["readers"][ALL]["sources"]["outfox"]
    assert one["auroc"]["value"] == auroc(rows["y"][here], told[ALL].raw[here])
    assert "auroc" not in found["readers"][ALL]["sources"]["cuad"]
    assert found["readers"][ALL]["first_six"]["auroc"] == pytest.approx(
        np.mean([found["readers"][ALL]["sources"][name]["auroc"]["value"] for name in ("outfox", "detectrl")])
    )


def test_the_worst_source_of_a_promise_is_the_one_with_most_people_accused():
    made = asked(held_out())
    y, sources = made.rows["y"], made.rows["sources"]
    flags = (y == 0) & (sources == "cuad") & (np.arange(y.size) % 4 == 1)
    answered = Answers(np.zeros(y.size), np.full(y.size, 0.5), dict.fromkeys(RATES, flags))
    one = promises(made, answered)["0.01"]
    able = made.whole & (made.rows["n_tokens"] >= 100) & (sources == "cuad")
    assert one["worst_source"] == "cuad"
    assert one["worst"]["value"] == np.mean(flags[able])
    assert one["all"]["value"] < one["worst"]["value"]


def test_bands_of_length_hold_passages_too(found):
    bands = found["by_length"]
    assert set(bands) == {"50", "100", "250"}
    assert bands["50"]["too_short"] == 1.0
    assert bands["50"]["found"] is None
    assert bands["100"]["n_human"] + bands["100"]["n_machine"] == N * len(SOURCES) * 9 // 10
    assert bands["50"]["n_human"] == np.sum((held_out().rows["n_tokens"] < 100) & (held_out().rows["y"] == 0))


def test_a_probability_that_is_the_share_of_machine_texts_has_no_error():
    made = asked(held_out())
    half = np.full(made.rows["y"].size, 0.5)
    never = dict.fromkeys(RATES, np.zeros(half.size, bool))
    assert calibration(made, Answers(half, half, never))["all"] == pytest.approx(0.0)
    sure = np.full(half.size, 0.8)
    assert calibration(made, Answers(sure, sure, never))["all"] == pytest.approx(0.3)  # half are machine's


def test_hard_examples_are_counted_by_kind_and_by_reader(told):
    made = asked(held_out())
    found = hard_examples(made, told)
    wrong = made.whole & (made.rows["y"] == 0) & told[ALL].called[0.01]
    assert found["people"]["n"] == wrong.sum()
    assert sum(row["n"] for row in found["people"]["rows"]) == wrong.sum()
    assert all(0 <= share <= 1 for row in found["machines"]["rows"] for share in row["misled"].values())
    assert "text 1" not in json.dumps(found)


@pytest.mark.parametrize(
    ("generator", "year", "maker"),
    [
        ("gpt-3.5-turbo-0613", 2023, "OpenAI"),
        ("text-davinci-003", 2022, "OpenAI"),
        ("gpt4turbo", 2023, "OpenAI"),
        ("gpt-4o-mini-2024-07-18", 2024, "OpenAI"),
        ("chatgpt-4o-latest", 2024, "OpenAI"),
        ("gpt-5.4", 2026, "OpenAI"),
        ("o3-mini", 2025, "OpenAI"),
        ("claude3haiku", 2024, "Anthropic"),
        ("claude-haiku-4.5", 2025, "Anthropic"),
        ("claude-sonnet-4", 2025, "Anthropic"),
        ("claude-sonnet-4-6", 2026, "Anthropic"),
        ("claude-opus-4-7", 2026, "Anthropic"),
        ("gemini-3-flash-preview", 2025, "Google"),
        ("gemini-3.1-flash-lite-preview", 2026, "Google"),
        ("Llama-2-70b", 2023, "Meta"),
        ("llama-3.3-70b-instruct", 2024, "Meta"),
        ("llama4-maverick", 2025, "Meta"),
        ("deepseek-v3", 2024, "DeepSeek"),
        ("deepseek-v3.2", 2025, "DeepSeek"),
        ("qwen2.5-7b-instruct", 2024, "Alibaba"),
        ("qwen3.5-397b-a17b", 2026, "Alibaba"),
        ("mistral-large-2512", 2025, "Mistral"),
        ("grok-4.20-beta", 2026, "xAI"),
        ("a model nobody knows", 0, "others"),
    ],
)
def test_a_model_has_a_maker_and_the_year_it_came_out(generator, year, maker):
    assert (year_of(generator), maker_of(generator)) == (year, maker)


def test_how_a_machine_text_was_made_is_told_by_attack_domain_or_source():
    assert made_by("gede", "essay_ielts", "llm_polish_of_human").startswith("person's text, polished")
    assert made_by("detectrl", "paraphrase_dipper_llm", "none") == made_by(
        "detectrl", "news", "paraphrase_dipper_llm"
    )
    assert made_by("l2r", "Sports", "none") == "person's text, rewritten by a model"
    assert made_by("wetbench", "wiki_continuation", "none").startswith("person's beginning")
    assert made_by("lastde", "news", "none") == FROM_PROMPT


def test_people_are_grouped_by_source_and_domain():
    assert in_group("learners: IELTS", "gede", "essay_ielts")
    assert not in_group("learners: IELTS", "gede", "essay_forum_aae")
    assert in_group("learners of English, all", "uppsala", "essay_l2_university")
    assert not in_group("learners of English, all", "outfox", "essay")


def test_the_page_has_ten_lines_and_every_section(found):
    text = page(found)
    lines = [line for line in text.splitlines() if re.match(r"\d+\. ", line)]
    assert len(lines) == len(ten_lines(found)) == 10
    for part in (
        "| **ghostbuster** |",
        "`outfox`",
        "| 2026 |",
        "DIPPER",
        "school pupils",
        "## What was aimed at",
    ):
        assert part in text
    assert "## Under attack" not in text  # nothing was read for it
    assert "nan" not in text


def test_what_was_read_for_the_page_gets_its_sections(found):
    one = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 40}
    more = {
        "n_texts": 4000,
        "left_out": ["detectrl", "lastde"],
        "noise": {"characters": {"accused": one, "unsure": 0.25}},
        "long": {"sources": ["endings"], "found": one, "accused": one},
        "attacks": {
            "n_machine": 40, "n_human": 20, "sources": ["lastde"],
            "rows": {"none": {"undone": None, "found": one, "accused": one, "refused": 0.0},
                     "synonym": {"undone": 0.0, "found": one, "accused": one, "refused": 0.1,
                                 "found_change": {"value": -0.2, "low": -0.3, "high": -0.1}}},
        },
        "mixed": {"sources": ["lastde"], "n": 50, "pieces": 4, "within": 0.9,
                  "trust": 0.7, "within_by_source": {"lastde": 0.8, "endings": 1.0},
                  "rows": {"0.25": {"n": 10, "stated": 0.3, "low": 0.1, "high": 0.6,
                                    "within": 1.0, "called": 0.1}}},
    }  # fmt: skip
    text = page(found | {"more": more})
    assert "| synonym | 0 % | 50 % [40, 60] | -20 [-30, -10] | 10 % |" in text
    assert "| 25 % | 10 | 30 % | 10 % to 60 % | 100 % | 10 % |" in text
    assert "4,000 texts without the sources `detectrl`, `lastde`" in text
    assert "| characters | 50 % [40, 60] of 40 | 25 % |" in text


@pytest.mark.parametrize(
    ("accused", "says"), [(0.009, "was kept"), (0.02, "more than was promised"), (0.05, "was broken")]
)
def test_the_lines_say_whether_the_promise_was_kept(found, accused, says):
    changed = json.loads(json.dumps(found))
    changed["promises"]["0.01"]["all"]["value"] = accused
    assert says in ten_lines(changed)[1]


def test_edited_text_is_called_found_less_often_only_where_intervals_are_apart(found):
    changed = json.loads(json.dumps(found))
    plain = {"value": 0.6, "low": 0.55, "high": 0.65, "n": 400}
    for value, says in ((0.5, "about as often as"), (0.3, "less often than")):
        edited = {"value": value, "low": value - 0.1, "high": value + 0.1, "n": 90}
        changed["machines"] |= {"edited": {"found": edited}, "from_prompt": {"found": plain}}
        assert says in ten_lines(changed)[6]


def test_the_group_accused_most_often_is_named(found):
    changed = json.loads(json.dumps(found))
    one = {"value": 0.22, "low": 0.15, "high": 0.3, "n": 124}
    changed["people"]["formal: abstracts"] = {"accused": one, "accused_at_5_percent": one}
    assert "Most often: formal: abstracts, 22 % of 124." in ten_lines(changed)[8]
    changed["people"]["formal: abstracts"]["accused"]["n"] = 20  # too few to be named
    assert "abstracts" not in ten_lines(changed)[8]


def test_an_aim_is_reached_missed_or_reached_at_its_least():
    assert Aim("x", 0.95, 0.94, 0.925).verdict == "reached"
    assert Aim("x", 0.93, 0.94, 0.925).verdict == "at least what was needed"
    assert Aim("x", 0.92, 0.94, 0.925).verdict == "**missed**"
    assert Aim("x", 0.03, 0.02, 0.04, at_most=True).verdict == "at least what was needed"
    assert Aim("x", None, 0.02, 0.04).verdict == "not measured"


def test_a_missed_aim_is_followed_by_what_was_tried_and_what_binds(found):
    changed = json.loads(json.dumps(found))
    source = changed["readers"][ALL]["sources"]["outfox"]
    source["auroc"]["value"] = 0.7
    changed["readers"][ALL]["mean"]["auroc"]["value"] = 0.8
    assert any(aim.verdict == "**missed**" for aim in aims_of(changed))
    gains = {"all families": {"auroc_gain": {"value": 0.014}}, "tails": {"auroc_gain": {"value": 0.003}}}
    text = page(changed, {"standard": {"variants": gains}})
    assert "+0.014 AUROC" in text
    assert "(`outfox`): AUROC 0.70" in text


def test_shares_in_percent_are_as_precise_as_they_are_worth():
    assert [percent(x) for x in (0.0, 0.0001, 0.004, 0.123, 0.996, 0.9999, 1.0)] == [
        "0 %", "under 0.1 %", "0.4 %", "12 %", "99.6 %", "over 99.9 %", "100 %"
    ]  # fmt: skip
    assert plain_share({"value": 0.01, "low": 0.002, "high": 0.05}) == "1.0 % [0.2, 5.0]"


def test_the_marked_section_of_a_page_is_replaced(tmp_path, found):
    path = tmp_path / "README.md"
    path.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", "utf-8")
    write_section(path, readme_section(found))
    text = path.read_text("utf-8")
    assert text.startswith(f"before\n{BEGIN}\nOn texts")
    assert "old" not in text
    assert text.endswith(f"{END}\nafter\n")
    path.write_text("no marks", "utf-8")
    with pytest.raises(InputError, match="put the marks"):
        write_section(path, "x")


def labelled(made):
    rows = made.rows
    return [
        LabelledText(
            str(rows["key"][i]), "a few words", "", int(rows["y"][i]), str(rows["files"][i]),
            str(rows["sources"][i]), "essay", "g", "none", (),
        )
        for i in range(rows["y"].size)
    ]  # fmt: skip


def test_texts_are_found_by_their_keys_and_missing_ones_named():
    made = held_out()
    texts = labelled(made)
    found = asked_of(Corpus(texts[::-1], []), made)
    assert found.rows["n_words"].tolist() == [3] * len(texts)
    assert set(found.rows["registers"].tolist()) == {"essay"}
    with pytest.raises(InputError, match="lacks 5 of 2000 texts"):
        asked_of(Corpus(texts[5:], []), made)


def test_another_detectors_answers_stand_in_the_same_order(tmp_path):
    made = held_out()
    back = slice(None, None, -1)
    np.savez(
        tmp_path / "lite.npz", parts=made.parts[back, :2], readers=np.array(["features", "words"]),
        **{name: values[back] for name, values in made.rows.items()},
    )  # fmt: skip
    found = lite_answers(tmp_path / "lite.npz", made)
    straight = answers_of(HeldOut(made.parts[:, :2], made.rows, ("features", "words")), [0, 1])
    assert found.raw == pytest.approx(straight.raw, abs=1e-6)
    assert (found.called[0.01] == straight.called[0.01]).mean() > 0.99


def test_the_command_writes_page_and_figures(tmp_path, monkeypatch, capsys):
    made = held_out()
    np.savez(tmp_path / "held.npz", parts=made.parts, readers=np.array(made.readers), **made.rows)
    monkeypatch.setattr(command, "Corpus", type("Fake", (), {"open": lambda _: Corpus(labelled(made), [])}))
    column = made.rows["y"] + np.random.default_rng(0).normal(size=made.rows["y"].size)
    monkeypatch.setattr(command, "zero_shot", lambda *_: {"entropy": column})
    monkeypatch.setattr("benchmarks.accuracy.report_parts.answers.tfidf_parts", lambda *_: column * 2)
    monkeypatch.setattr("benchmarks.accuracy.unseen.RESAMPLES", 20)
    out = tmp_path / "docs" / "accuracy.md"
    argv = [
        "report",
        str(tmp_path / "held.npz"),
        "--corpus",
        "x",
        "--results",
        str(tmp_path / "kept"),
        "-o",
        str(out),
    ]
    monkeypatch.setattr("sys.argv", argv)
    command.main()
    assert "wrote" in capsys.readouterr().out
    figures = json.loads((tmp_path / "docs" / "data" / "accuracy.json").read_text("utf-8"))
    names = list(figures["readers"])
    assert names[0] == ALL
    assert {"features alone", "words alone", TFIDF, "entropy"} <= set(names)
    assert "| entropy |" in out.read_text("utf-8")


def test_statistics_of_texts_that_were_read_stand_in_the_order_asked_for(tmp_path, monkeypatch):
    made = {"a": [1.0] * len(NAMES), "b": [2.0] * len(NAMES)}
    texts = [LabelledText(key, key, "", 0, "f", "s", "d", "g", "none", ()) for key in made]
    monkeypatch.setattr(
        "benchmarks.accuracy.report_parts.statistics._of_chunk",
        lambda _, t: np.array([made[key] for key in t]),
    )
    corpus = Corpus(texts, [tmp_path / "chunk-0000.npz"])
    found = zero_shot(corpus, ["b", "a"], Results(), lambda _: None)
    assert found["LRR"].tolist() == [2.0, 1.0]


def test_people_of_unknown_groups_are_in_none(told):
    made = asked(held_out())
    groups = of_people(made, told[ALL])
    assert "learners: Swedish students" in groups
    assert "old prose" not in groups
    assert by_length(made, told[ALL])["100"]["accused"]["n"] > 0
