"""The report of an evaluation: a page, its figures and its numbers."""

import json
import re
import sys
import xml.etree.ElementTree as ET

import pytest
from html_pages import Page

from ghostbuster.cli import main
from ghostbuster.errors import InputError, SettingError
from ghostbuster.report.html.evaluation import check_place, folder_of

pytest.importorskip("matplotlib", reason="figures need matplotlib: pip install 'ghostbuster[report]'")

PNG = b"\x89PNG\r\n\x1a\n"
FIGURES = {"roc", "det", "calibration", "histogram", "by-length", "by-domain"}


@pytest.fixture(scope="module")
def evaluated(labelled_table, detector_file, tmp_path_factory):
    """A report of the small table, with hostile names of domains."""
    import pandas as pd

    folder = tmp_path_factory.mktemp("evaluated")
    table = pd.read_csv(labelled_table, dtype=str)
    table["topic"] = table["domain"].map({"odd": "<script>alert(1)</script> $x_2$", "even": "caf\u00e9 & co"})
    table.drop(columns="domain").to_csv(folder / "texts.csv", index=False)
    page = folder / "report.html"
    arguments = ["evaluate", str(detector_file), str(folder / "texts.csv"), "--report", str(page)]
    assert main([*arguments, "--domain-column", "topic", "--group-column", "id", "--format", "json"]) == 0
    return page


def test_every_figure_is_on_the_page_and_beside_it_as_svg_and_png(evaluated):
    page = Page(evaluated.read_text("utf-8"))
    assert len([tag for tag, _ in page.elements if tag == "figure"]) == len(FIGURES)
    files = {path.name for path in folder_of(evaluated).iterdir()}
    assert files == {f"{name}.{kind}" for name in FIGURES for kind in ("svg", "png")} | {"numbers.json"}
    for name in FIGURES:
        assert (folder_of(evaluated) / f"{name}.png").read_bytes().startswith(PNG)
        assert ET.parse(folder_of(evaluated) / f"{name}.svg").getroot().tag.endswith("svg")


def test_numbers_are_those_of_the_evaluation_and_of_the_curves(evaluated):
    numbers = json.loads((folder_of(evaluated) / "numbers.json").read_text("utf-8"))
    assert (numbers["n_human"], numbers["n_machine"]) == (20, 20)
    assert sum(numbers["curves"]["human"]) == 20
    columns = [part["column"] for part in numbers["slices"]]
    assert (set(columns), columns[0], columns[-2:]) == ({"length", "domain"}, "length", ["domain", "domain"])
    assert f"{numbers['figures']['auroc']['value']:.3f}" in evaluated.read_text("utf-8")


def test_the_page_asks_for_nothing_and_holds_no_markup_of_the_table(evaluated):
    text = evaluated.read_text("utf-8")
    page = Page(text)
    assert not page.tags() & {"script", "link", "iframe", "img", "object", "foreignobject"}
    addresses = set(re.findall(r"https?://[^\"' )<]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}  # names, not links
    assert "<metadata" not in text
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; $x_2$" in text
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_figures_on_the_page_take_its_colours(evaluated):
    text = evaluated.read_text("utf-8")
    assert "currentColor" in text
    assert "#010203" not in text
    for name in FIGURES:
        assert "#010203" not in (folder_of(evaluated) / f"{name}.svg").read_text("utf-8")


def test_the_same_evaluation_gives_the_same_files_twice(evaluated, detector_file, tmp_path):
    again = tmp_path / "report.html"
    table = evaluated.parent / "texts.csv"
    arguments = ["evaluate", str(detector_file), str(table), "--report", str(again)]
    assert main([*arguments, "--domain-column", "topic", "--group-column", "id", "--format", "json"]) == 0
    assert again.read_bytes() == evaluated.read_bytes()
    for path in folder_of(evaluated).iterdir():
        assert (folder_of(again) / path.name).read_bytes() == path.read_bytes(), path.name


def test_whether_the_promise_held_is_said_in_words(evaluated):
    text = evaluated.read_text("utf-8")
    assert (
        "The detector promises to call at most 1\u00a0% of human texts machine-written. Of these 20" in text
    )


def test_standard_output_is_the_same_with_a_report_and_without(evaluated, detector_file, tmp_path, capsys):
    arguments = ["evaluate", str(detector_file), str(evaluated.parent / "texts.csv"), "--format", "json"]
    main(arguments)
    plain = capsys.readouterr().out
    main([*arguments, "--report", str(tmp_path / "r.html")])
    assert capsys.readouterr().out == plain
    assert "lengths" not in plain  # the histogram is drawn for the page alone


def test_a_column_of_domains_that_is_not_there_is_named(evaluated, detector_file, capsys):
    arguments = ["evaluate", str(detector_file), str(evaluated.parent / "texts.csv")]
    assert main([*arguments, "--generator-column", "topics"]) == 2
    assert "'topics'; expected one of" in capsys.readouterr().err


def test_without_matplotlib_one_line_says_how_to_get_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "matplotlib" else find(name, *rest)
    )
    with pytest.raises(SettingError, match=r"needs matplotlib.*pip install 'ghostbuster\[report\]'"):
        check_place(tmp_path / "r.html", tmp_path / "t.csv")
    assert main(["evaluate", "default", "none.csv", "--report", str(tmp_path / "r.html")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_folder_that_cannot_be_used_is_refused_before_anything_is_read(tmp_path):
    (tmp_path / "r_files").write_text("mine")
    with pytest.raises(InputError, match="is no folder, but the figures go there"):
        check_place(tmp_path / "r.html", tmp_path / "t.csv")
    assert (tmp_path / "r_files").read_text() == "mine"
