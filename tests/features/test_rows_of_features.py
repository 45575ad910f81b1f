"""Adding an operation, a reducer, a channel, a space, a model or a panel is one row in the table named."""

import json

import numpy as np
import pytest

from ghostbuster.arrays import TokenScores, Vectors
from ghostbuster.cli import main
from ghostbuster.decision.explain import in_words
from ghostbuster.errors import FeatureError, ModelError
from ghostbuster.features.align import align
from ghostbuster.features.chains import Apply, Vector
from ghostbuster.features.evaluate import evaluate_all
from ghostbuster.features.expression import Feature
from ghostbuster.features.ops import OPS, Op
from ghostbuster.features.reducers import REDUCERS, Reducer
from ghostbuster.features.search.estimator import FeatureSearch
from ghostbuster.features.spaces import SPACES, Space, candidates
from ghostbuster.features.surface import SURFACE, SurfaceChannel
from ghostbuster.models.hub.catalog import CATALOG, KnownModel
from ghostbuster.models.hub.pulled import PulledModel, write_record
from ghostbuster.models.panels import PANELS, PanelFiles, panel_files, weights_folder

LARGER = Op("v-max", np.maximum, "the larger of a and b", "the larger of {} and {}")
FIRST = Reducer("s-first", lambda x: x.values[x.layout.starts], "first unit", "{} at the start")


def two_texts():
    """Three units and two, of two vectors."""
    channels = {"weak.logprob": [-1, -5, -3, -2, -6], "strong.logprob": [-4, -2, -3, -1, -7]}
    return Vectors({k: np.array(v, dtype=np.float32) for k, v in channels.items()}, np.array([0, 3, 5]))


def test_an_op_is_one_row_it_is_parsed_printed_evaluated_and_said_in_words(monkeypatch):
    text = "strong.logprob v-max weak.logprob s-avg"
    with pytest.raises(FeatureError, match="no op 'v-max'"):
        Feature.parse(text)
    monkeypatch.setitem(OPS, "v-max", LARGER)
    feature = Feature.parse(text)
    assert str(feature) == text
    assert evaluate_all([feature], two_texts()).ravel().tolist() == [pytest.approx(-2.0), pytest.approx(-3.5)]
    assert in_words(feature) == (
        "average the larger of predictability to the larger model and predictability to the smaller model"
    )


def test_a_reducer_is_one_row_and_the_spaces_free_of_length_offer_it(monkeypatch):
    before = candidates("default", two_texts().channels)
    monkeypatch.setitem(REDUCERS, "s-first", FIRST)
    feature = Feature.parse("weak.logprob s-first")
    assert evaluate_all([feature], two_texts()).ravel().tolist() == [-1.0, -2.0]
    assert in_words(feature) == "predictability to the smaller model at the start"
    added = set(candidates("default", two_texts().channels)) - set(before)
    assert feature in added
    assert {one.reducer for one in added} == {"s-first"}


def test_a_space_is_one_row_and_a_search_finds_the_new_op_in_it(monkeypatch):
    monkeypatch.setitem(OPS, "v-max", LARGER)
    wanted = Feature(Apply(Vector("strong.logprob"), "v-max", Vector("weak.logprob")), "s-avg")
    others = [Feature(Vector(name), "s-avg") for name in ("strong.logprob", "weak.logprob")]
    monkeypatch.setitem(SPACES, "mine", Space("mine", lambda: iter([*others, wanted]), "three features"))
    rng = np.random.default_rng(0)
    values = rng.normal(size=(2, 400)).astype(np.float32)
    vectors = Vectors({"strong.logprob": values[0], "weak.logprob": values[1]}, np.arange(0, 401, 4))
    largest = np.maximum(*values).reshape(100, 4).mean(axis=1)
    search = FeatureSearch(space="mine", max_features=1).fit(vectors, largest > np.median(largest))
    assert search.features_ == (wanted,)


def test_a_surface_channel_is_one_row_it_is_aligned_searched_and_said_in_words(monkeypatch):
    vowels = SurfaceChannel(
        "vowels",
        lambda words: [sum(c in "aeiou" for c in word) for word in words],
        "vowels",
        "vowels in words",
    )
    monkeypatch.setitem(SURFACE, "vowels", vowels)
    scores = TokenScores({"logprob": np.array([-1.0, -2.0])}, np.array([4, 9]), np.array([0, 2]))
    vectors = align({"weak": scores}, ["Look here"], "word")
    assert vectors.channels["surface.vowels"].tolist() == [2.0, 2.0]
    feature = Feature.parse("surface.vowels s-avg")
    assert feature in candidates("surface", vectors.channels)
    assert in_words(feature) == "average vowels in words"


def test_a_model_and_a_panel_are_one_row_each(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("GHOSTBUSTER_MODELS", str(tmp_path))
    row = KnownModel("some/repository", "m.gguf", "a" * 40, "a small one", 0.1, "MIT", "https://example.org")
    for name in ("small", "large"):
        monkeypatch.setitem(CATALOG, name, row)
    monkeypatch.setitem(PANELS, "mine", PanelFiles("small", "large"))
    assert main(["models", "list", "--format", "json"]) == 0
    listed = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert {listed[name]["state"] for name in ("small", "large")} == {"not here"}
    with pytest.raises(ModelError, match="ghostbuster models pull small large"):
        panel_files("mine")
    file = weights_folder() / PANELS["embedded"].weak
    for name in ("small", "large"):
        size = file.stat().st_size
        write_record(PulledModel(name, row.repository, row.file, row.revision, "0" * 64, size, str(file)))
    assert panel_files("mine") == (file, file)
