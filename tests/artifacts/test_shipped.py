"""Which of the detectors that ship is the default, and what it says where the best cannot be used."""

import shutil
from pathlib import Path

import pytest

import ghostbuster
from ghostbuster.artifacts import shipped as module
from ghostbuster.artifacts.shipped import FOLDER, default_name, detector_path, shipped
from ghostbuster.cli import main
from ghostbuster.detector.artifact import open_artifact
from ghostbuster.errors import ArtifactError, ModelError
from ghostbuster.models.hub import locate
from ghostbuster.models.panels import PANELS

TEXT = Path(__file__).parents[2] / "examples" / "human.txt"


@pytest.fixture
def both(tmp_path, monkeypatch):
    """A package with both detectors: the standard one is a copy of lite, so that it can be told from it."""
    for name in ("lite", "standard"):
        shutil.copy(FOLDER / "lite.joblib", tmp_path / f"{name}.joblib")
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    return tmp_path


def models(monkeypatch, *, here):
    """SmolLM2 is here or not, whatever is installed."""

    def located(name):
        if here:
            return Path(f"{name}.gguf")
        raise ModelError(f"model {name!r} is not here: get it with {locate.remedy(name)}")

    monkeypatch.setattr(locate, "model_file", located)


def test_the_default_is_the_standard_detector_where_its_models_are_here(both, monkeypatch, capsys):
    models(monkeypatch, here=True)
    assert detector_path() == detector_path("default") == both / "standard.joblib"
    assert main(["score-file", str(TEXT)]) == 0
    told = capsys.readouterr()
    assert "Detector: standard@" in " ".join(told.out.split())
    assert told.err == ""


def test_without_its_models_lite_is_used_and_one_line_says_what_that_costs_and_what_to_do(
    both, monkeypatch, capsys
):
    models(monkeypatch, here=False)
    assert main(["score-file", str(TEXT)]) == 0
    told = capsys.readouterr()
    assert "Detector: lite@" in " ".join(told.out.split())
    assert told.err.count("\n") == 1
    assert told.err.startswith("ghostbuster: note: the detector lite, which finds about 48 of 100 ")
    assert "`pip install 'ghostbuster[smollm2]'` or `ghostbuster models pull smollm2-135m`" in told.err
    assert detector_path() == both / "lite.joblib"


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize("name", ["lite", "standard"])
def test_a_detector_that_is_asked_for_by_name_is_used_without_a_word(monkeypatch, capsys, name):
    models(monkeypatch, here=False)
    assert main(["score-file", str(TEXT), "--model", name]) == 0
    told = capsys.readouterr()
    assert f"Detector: {name}@" in " ".join(told.out.split())
    assert told.err == ""


@pytest.mark.usefixtures("both")
def test_a_damaged_record_of_a_download_does_not_keep_the_default_from_scoring(monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(locate, "installed_file", lambda _name, _file: None)
    monkeypatch.setenv("GHOSTBUSTER_MODELS", str(tmp_path))
    (tmp_path / "smollm2-135m.json").write_text("[")
    assert default_name() == "lite"
    assert "smollm2-135m.json is no record of a pulled model" in caplog.text


def test_a_package_without_the_standard_detector_uses_lite_and_says_nothing(tmp_path, monkeypatch, caplog):
    shutil.copy(FOLDER / "lite.joblib", tmp_path / "lite.joblib")
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    assert default_name() == "lite"
    assert caplog.text == ""
    with pytest.raises(ArtifactError, match=r"no detector called 'standard' ships .* expected one of: lite"):
        shipped("standard")


def test_a_path_is_a_path_even_where_its_file_is_called_like_a_detector(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert detector_path("mine.joblib") == Path("mine.joblib")
    assert detector_path("./lite") == Path("lite")
    assert detector_path(tmp_path / "lite") == tmp_path / "lite"
    assert detector_path("lite") == shipped("lite")
    shutil.copy(FOLDER / "lite.joblib", tmp_path / "standard")
    assert main(["score-file", str(TEXT), "--model", "./standard"]) == 0


def test_from_python_a_detector_that_ships_has_the_same_name():
    lite = ghostbuster.load("lite")
    assert lite.params.panel == "embedded"
    assert {type(one) for one in (lite, ghostbuster.load(), ghostbuster.load_default())} == {type(lite)}


def test_every_detector_that_ships_reads_with_a_panel_of_its_kind_and_has_a_card():
    for path in FOLDER.glob("*.joblib"):
        panel = PANELS[ghostbuster.load(path.stem).params.panel]
        assert panel == PANELS[path.stem]
        assert path.stem in (FOLDER / "README.md").read_text("utf-8")
        assert path.with_suffix(".md").read_text("utf-8").startswith(f"# The detector `{path.stem}`")


def test_the_standard_detector_is_small_and_says_what_its_readers_earn():
    path = shipped("standard")
    assert path.stat().st_size < 1_500_000
    detector = ghostbuster.load("standard")
    assert detector.trained_.scorer.readers == ("features", "words", "states")
    *alone, mixed = detector.manifest_["readers"]
    assert mixed["auroc"] >= max(one["auroc"] for one in alone)
    assert f"sha256 `{open_artifact(path).digest}`" in path.with_suffix(".md").read_text("utf-8")


def test_the_standard_detector_tells_the_examples_apart():
    try:
        locate.model_file("smollm2-135m")
    except ModelError as error:
        pytest.skip(str(error))
    texts = [TEXT.with_name(name).read_text("utf-8") for name in ("human.txt", "machine.txt")]
    human, machine = ghostbuster.load("standard").judge(texts)
    assert (human.label, machine.label) == ("human", "machine")
    assert human.probability < 0.4
    assert machine.probability > 0.95
    assert [one.feature for one in machine.readers] == ["reader features", "reader words", "reader states"]
