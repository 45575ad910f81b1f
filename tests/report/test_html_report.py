"""The report of verdicts, as HTML; what it looks like is tested in a browser elsewhere."""

import math
import re
from html import unescape
from itertools import pairwise

import numpy as np
import pytest
from html_pages import Page
from hypothesis import given
from hypothesis import strategies as st
from prose import passages as prose_of

from ghostbuster.arrays import Vectors
from ghostbuster.cli import main
from ghostbuster.decision.thresholds import Threshold
from ghostbuster.decision.verdict import Evidence, Verdict
from ghostbuster.detector.artifact import load
from ghostbuster.detector.passages import Passages, passages_of
from ghostbuster.errors import InputError
from ghostbuster.metrics.classification import Estimate
from ghostbuster.reading.read import Reading
from ghostbuster.report import wording as plain_words
from ghostbuster.report.html.detail import detail_of, paragraph_starts
from ghostbuster.report.html.page import check_page
from ghostbuster.report.html.shading import level
from ghostbuster.report.html.verdicts import verdicts_page
from ghostbuster.report.report import Report
from ghostbuster.report.wording import (
    decimals,
    evidence_in_words,
    in_a_class,
    other_shares,
    percent,
    share_in_words,
)
from ghostbuster.text.prepare import prepare

PROMISE = Threshold(rate=0.01, probability=0.895, fpr=Estimate(0.01, 0.0076, 0.013), n_human=6337)
MODELS = [{"role": "weak", "file": "weak.gguf", "digest": "ab" * 32}]
HOSTILE = "<script>alert(1)</script> &amp; \"quoted\" 'single' </style></div>-->"


def reading_of(text, ends):
    n = len(ends)
    values = np.linspace(-9.5, -0.1, n) if n else np.empty(0)
    channels = {
        "strong.logprob": values,
        "strong.rank": np.arange(1.0, n + 1),
        "strong.entropy": np.full(n, 2.5),
    }
    return Reading(
        (prepare(text),), Vectors(channels, np.array([0, n])), np.array([n]), np.array(ends, dtype=int)
    )


def page_of(text="One two.", ends=(3, 7, 8), path="a.txt", verdict=None, passages=None):
    reading = reading_of(text, list(ends))
    detail = detail_of(text, reading, passages or Passages((), (), "too short"))
    verdict = verdict or Verdict(0.3, "human", ("below",), len(ends), 2)
    return verdicts_page(Report((path,), (verdict,), "default@0123456789ab", PROMISE), (detail,), MODELS)


def reported(tmp_path, detector_file, texts, name="report.html"):
    files = []
    for i, text in enumerate(texts):
        files.append(tmp_path / f"text{i}.txt")
        files[-1].write_text(text, "utf-8")
    out = tmp_path / name
    code = main(["score-file", *map(str, files), "--model", str(detector_file), "--report", str(out), "-q"])
    assert code == 0
    return out.read_text("utf-8")


def test_every_token_appears_once_and_in_order(tmp_path, detector_file):
    text = prose_of(1, 500)[0]
    page = Page(reported(tmp_path, detector_file, [text]))
    detector = load(detector_file)
    prepared = detector.read([text])
    bounds = [0, *prepared.ends.tolist()]
    pieces = [prepared.texts[0][a:b].strip() for a, b in pairwise(bounds) if a < b]
    assert page.tokens == pieces
    tokens = [attributes for tag, attributes in page.elements if tag == "i"]
    stated = [float(one["data-p"].replace("\u2212", "-")) for one in tokens]
    assert stated == pytest.approx(prepared.vectors.channels["strong.logprob"], abs=0.0051)
    assert [int(one["data-r"]) for one in tokens] == prepared.vectors.channels["strong.rank"].tolist()


def test_the_same_text_gives_the_same_page_twice(tmp_path, detector_file):
    text = prose_of(1, 400)
    assert reported(tmp_path, detector_file, text) == reported(tmp_path, detector_file, text, "again.html")


def test_windows_and_sentences_are_those_of_the_passages(tmp_path, detector_file):
    text = prose_of(1, 500)[0]
    page = reported(tmp_path, detector_file, [text])
    detector = load(detector_file)
    found = passages_of(detector, detector.read([text]))
    along = page.partition('<figure class="along"')[2].partition("</figure>")[0]
    bars = [a for tag, a in Page(along).elements if tag == "rect"]
    lines = [a for tag, a in Page(along).elements if tag == "line" and a.get("class") != "half"]
    assert [float(a["height"]) for a in bars] == pytest.approx(
        [100 * s.probability for s in found.sentences], abs=0.051
    )
    assert [(int(a["x1"]), int(a["x2"])) for a in lines] == [(w.first, w.last) for w in found.windows]


@pytest.mark.parametrize("place", ["text", "path", "reason", "feature", "note"])
def test_nothing_hostile_becomes_markup(place):
    text = HOSTILE if place == "text" else "One two."
    verdict = Verdict(
        0.99,
        "machine",
        (HOSTILE,) if place == "reason" else ("above",),
        3,
        2,
        (Evidence(HOSTILE if place == "feature" else "words 'x'", 1.0, 0.5),),
    )
    reading = reading_of(text, [3, 7, len(prepare(text).text)])
    detail = detail_of(text, reading, Passages((), (), HOSTILE if place == "note" else "too short"))
    path = HOSTILE if place == "path" else "a.txt"
    page = verdicts_page(Report((path,), (verdict,), "m", PROMISE), (detail,), MODELS)
    parsed = Page(page)
    assert "script" not in parsed.tags()
    assert "<script" not in page.lower()
    assert page.count("</style>") == 1
    if place != "text":
        assert HOSTILE in "".join(parsed.text)


@given(st.text(max_size=80), st.text(max_size=30))
def test_no_text_and_no_name_breaks_the_page(text, path):
    prepared = prepare(text).text
    ends = sorted({*range(1, len(prepared), 3), len(prepared)} - {0})
    page = page_of(text, ends, path)
    parsed = Page(page)
    assert parsed.tags() <= Page(page_of()).tags() | {"i", "span", "details", "ol", "li", "ul"}
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200e\u200f\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]", page)
    page.encode("utf-8")
    shown = "".join(parsed.tokens)
    if prepared.isprintable():
        assert shown.replace(" ", "") == prepared.replace(" ", "")


def test_marks_that_turn_the_direction_of_writing_are_spelled_out():
    page = page_of(path="gpj\u202exet.txt")
    assert "gpj\\u202exet.txt" in page
    assert "\u202e" not in page


def test_bytes_of_one_character_are_one_piece():
    # three units spell the dash between: two that end where "a" ended, one that completes it
    reading = reading_of("a\U0001f600b", [1, 1, 1, 2, 3])
    pieces = detail_of("a\U0001f600b", reading, Passages((), (), "")).pieces
    logprobs = np.linspace(-9.5, -0.1, 5)
    assert pieces.texts == ("a", "\U0001f600", "b")
    assert pieces.logprob == pytest.approx([logprobs[0], logprobs[1:4].sum(), logprobs[4]])
    assert pieces.rank.tolist() == [1, 4, 5]
    assert pieces.entropy == pytest.approx([2.5, 7.5, 2.5])


def test_the_page_asks_for_nothing_and_forbids_scripts(tmp_path, detector_file):
    page = reported(tmp_path, detector_file, prose_of(2, 300))
    parsed = Page(page)
    assert not parsed.tags() & {"script", "link", "iframe", "img", "object", "embed", "form"}
    for _, attributes in parsed.elements:
        assert not set(attributes) & {"src", "srcset", "action"}
        assert not any(name.startswith("on") for name in attributes)
        assert attributes.get("href", "#").startswith("#")
    assert "http://" not in page
    assert "https://" not in page
    assert "@import" not in page
    assert "url(" not in page
    (policy,) = [
        a["content"] for tag, a in parsed.elements if a.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none'")


def test_ids_are_unique_and_every_link_has_its_target(tmp_path, detector_file):
    elements = Page(reported(tmp_path, detector_file, prose_of(3, 350))).elements
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [attributes["href"] for tag, attributes in elements if tag == "a"]
    assert {link[1:] for link in links} <= set(ids)
    assert len(links) == 4  # to the report, and to each text
    named = {name for _, a in elements for name in a.get("aria-labelledby", "").split()}
    assert named <= set(ids)


def test_a_text_that_was_not_judged_has_no_number_but_is_shown(tmp_path, detector_file):
    page = reported(tmp_path, detector_file, ["Too short."])
    assert "no probability was given" in page
    assert "too short:" in page
    assert "What this means" not in page
    assert "What decided" not in page
    assert Page(page).tokens


def test_reasons_and_changes_are_told_apart(tmp_path, detector_file):
    text = prose_of(1, 120)[0].replace("a", "\u0430", 2).replace(" the", " t\u200bhe")
    page = reported(tmp_path, detector_file, [text])
    reasons = page[page.index('class="reasons"') : page.index('class="facts"')]
    changes = page[page.index("What was changed") : page.index("Along the text")]
    assert "invisible" in changes
    assert "invisible" not in reasons


@pytest.mark.parametrize(
    ("probability", "threshold", "zones"),
    [
        (0.3, 0.895, ["human", "unsure", "machine"]),
        (0.3, 0.4, ["human", "machine"]),
        (0.3, 1.2, ["human", "unsure"]),
    ],
)
def test_the_scale_shows_what_each_stretch_is_called(probability, threshold, zones):
    detail = detail_of("One.", reading_of("One.", [4]), Passages((), (), ""))
    verdict = Verdict(probability, "human", (), 1, 1)
    promise = Threshold(0.01, threshold, Estimate(0.0, 0.0, 0.01), 400)
    page = verdicts_page(Report(("a",), (verdict,), "m", promise), (detail,), MODELS)
    bar = page[page.index('<svg class="zones"') : page.index('<div class="ends">')]
    found = re.findall(r'<rect class="(\w+)" x="[\d.]+%" y="6" width="([\d.]+)%"', bar)
    assert [name for name, _ in found] == zones
    assert sum(float(width) for _, width in found) == pytest.approx(100)


def test_rarer_machines_make_the_same_text_less_likely_to_be_one():
    # odds of 0.9 are 9; with one in 20 they are 9 / 19, so 9 / 28
    assert dict(other_shares(0.9)) == {
        "1 text in 2": "0.900",
        "1 text in 5": decimals(9 / 13),
        "1 text in 20": decimals(9 / 28),
        "1 text in 100": decimals(9 / 108),
    }


def test_no_probability_is_printed_as_certainty():
    shown = {p: decimals(p) for p in (0.9996, 0.9995, 0.9994, 0.5, 0.0005, 0.0004)}
    assert list(shown.values()) == ["over 0.999", "over 0.999", "0.999", "0.500", "0.001", "under 0.001"]


def test_a_detector_that_accuses_nobody_says_so():
    promise = plain_words.promise(Threshold(0.001, 1.2, Estimate(0.0, 0.0, 0.01), 400))
    assert "calls no text machine-written: the 400 texts" in promise
    assert "too few to promise 0.1\u00a0%" in promise


def test_a_class_of_honest_people_is_told_its_risk():
    assert "about 26\u00a0%" in in_a_class(PROMISE)  # 1 - 0.99 ** 30
    never = Threshold(0.001, 0.99, Estimate(0.0, 0.0, 0.012), 300)
    assert "up to 1.2\u00a0% might be" in in_a_class(never)


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "0"),
        (1.0, "100"),
        (0.00991, "0.99"),
        (0.26, "26"),
        (0.994, "99"),
        (0.997, "99.7"),
        (0.9994, "99.9"),
        (0.9995, "over 99.9"),
        (0.99999, "over 99.9"),
        (0.00001, "under 0.01"),
    ],
)
def test_shares_are_said_without_false_certainty(share, said):
    assert percent(share) == f"{said}\u00a0%"


def test_words_and_expressions_are_told_apart():
    def said(feature, meaning=""):
        return evidence_in_words(Evidence(feature, 1.0, 0.5, meaning))

    assert said("words 'benefits'") == ("the word \u201cbenefits\u201d", "")
    assert said("words '. by'") == ("\u201c. by\u201d side by side", "")
    assert said("words ','") == ("the mark \u201c,\u201d", "")
    assert said("words ','", "a mark that people like") == ("a mark that people like", "")
    assert said("strong.logprob s-p50") == ("", "strong.logprob s-p50")
    assert said("strong.logprob s-p50", "typical log-prob") == ("typical log-prob", "strong.logprob s-p50")


@pytest.mark.parametrize(
    ("chance", "shade"), [(1, 0), (10.1, 1), (99, 1), (101, 2), (1001, 3), (10_001, 4), (1e9, 4)]
)
def test_rarer_tokens_are_darker(chance, shade):
    assert level(-math.log(chance)) == shade


def test_paragraphs_are_found_again_after_preparing():
    written = "The first one, **bold**.\n\n\u201cThe second\u201d is quoted.\n\nA third\nline goes on here."
    prepared = prepare(written).text
    starts = paragraph_starts(written, prepared)
    assert [prepared[start:][:10] for start in starts] == ['"The secon', "A third li"]


def test_long_lines_are_paragraphs_and_broken_lines_are_not():
    words = " ".join(f"word{i}" for i in range(40))
    other = " ".join(f"other{i}" for i in range(40))
    written = f"{words}\n{other}"
    assert paragraph_starts(written, prepare(written).text) == [len(words) + 1]
    broken = "some words that go on\nand on to the margin\nuntil they end"
    assert paragraph_starts(broken, prepare(broken).text) == []


@given(st.text(max_size=200))
def test_paragraphs_begin_inside_the_text_and_in_order(written):
    prepared = prepare(written).text
    starts = paragraph_starts(written, prepared)
    assert starts == sorted(set(starts))
    assert all(0 < start < len(prepared) for start in starts)


def test_what_decided_is_told_by_kind_and_by_piece(tmp_path, detector_file):
    page = reported(tmp_path, detector_file, prose_of(1, 120))
    decided = page[page.index("What decided") : page.index("What it cannot do")]
    assert "how predictable the text is (3 features)" in decided
    assert "which words it uses" in decided
    assert '<th scope="row"></th>' not in decided


def test_several_texts_are_listed_first(tmp_path, detector_file):
    page = reported(tmp_path, detector_file, prose_of(2, 80))
    assert "Verdicts on 2 texts" in page
    index = page[page.index("<nav") : page.index("</nav>")]
    assert index.count("<tr>") == 3


def test_what_is_said_on_standard_output_stays_the_same(tmp_path, detector_file, capsys):
    path = tmp_path / "text.txt"
    path.write_text(prose_of(1, 80)[0])
    arguments = ["score-file", str(path), "--model", str(detector_file), "--format", "json"]
    main(arguments)
    plain = capsys.readouterr().out
    main([*arguments, "--report", str(tmp_path / "r.html")])
    assert capsys.readouterr().out == plain


def test_a_report_never_takes_the_place_of_a_text(tmp_path, capsys, detector_file):
    path = tmp_path / "text.html"
    path.write_text("My essay.")
    assert main(["score-file", str(path), "--report", str(path), "--model", str(detector_file)]) == 2
    assert "is read by this command, and would be lost" in capsys.readouterr().err
    assert path.read_text() == "My essay."


def test_a_place_where_no_report_can_be_is_refused_before_reading(tmp_path):
    with pytest.raises(InputError, match=r"is no name of an HTML file: end the report's name in \.html"):
        check_page(tmp_path / "report.pdf")
    with pytest.raises(InputError, match="is no folder: make it first"):
        check_page(tmp_path / "missing" / "report.html")
    (tmp_path / "a.html").touch()
    with pytest.raises(InputError, match="is read by this command"):
        check_page(tmp_path / "a.html", [tmp_path / "." / "a.html"])


def test_an_older_report_stays_when_scoring_fails(tmp_path, detector_file):
    out = tmp_path / "report.html"
    out.write_text("old")
    assert (
        main(["score-file", str(tmp_path / "none.txt"), "--report", str(out), "-m", str(detector_file)]) == 2
    )
    assert out.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_the_share_of_machine_written_passages_stands_above_the_drawing(tmp_path, detector_file):
    text = prose_of(1, 500)[0]
    page = reported(tmp_path, detector_file, [text])
    detector = load(detector_file)
    said = share_in_words(passages_of(detector, detector.read([text])))
    assert said in unescape(page.partition('<figure class="along"')[0])
