import json
from dataclasses import replace

import numpy as np
import pytest
from planted_material import material

from benchmarks.accuracy.left_out_parts.attacked import UNTOUCHED, Reader, drawn, under_attacks, under_noise
from benchmarks.accuracy.left_out_parts.detector import detector_without
from benchmarks.accuracy.left_out_parts.mixed import PIECES, joined, mixed_figures, mixtures
from benchmarks.accuracy.unseen import HeldOut
from ghostbuster.decision.verdict import Verdict
from ghostbuster.detector.artifact import load
from ghostbuster.hidden_states import HiddenStates
from training.data.labelled import LabelledText
from training.data.material import Material

WORDS = " ".join(["word"] * 120) + "."


def text(key, label, source="a", attack="none", words=120, group=0):
    body = " ".join(["word"] * words)
    return LabelledText(key, body, body, label, f"{source}.x", source, "d", "g", attack, (), group)


def held_out_of(made, seed=0):
    rng = np.random.default_rng(seed)
    y = made.y
    parts = rng.normal(size=(y.size, 2)) + 2.0 * y[:, None]
    rows = {
        "y": y,
        "weights": np.ones(y.size),
        "n_tokens": np.full(y.size, 150),
        "sources": made.sources,
        "key": np.array([one.key for one in made.texts]),
    }
    return HeldOut(parts, rows, ("features", "words"))


@pytest.fixture(scope="module")
def small(detector_file):
    return load(detector_file)


def test_texts_to_attack_are_drawn_in_turns_from_the_sources_and_long_enough():
    texts = [text(f"{s}{label}{i}", label, s) for s in "ab" for label in (0, 1) for i in range(5)]
    texts += [text("short", 1, words=20), text("attacked", 1, attack="dipper")]
    chosen = drawn(texts, ("a", "b"), 4, 2)
    assert [one.key for one in chosen] == ["a10", "b10", "a11", "b11", "a00", "b00"]


class Judge:
    """Calls a text machine-written unless a letter of another script or a misspelling is in it."""

    def judge_reading(self, reading):
        return [Verdict(0.9, "human" if "odd" in one else "machine", (), 150, 120) for one in reading]


class Reading:
    """Hands texts on, and remembers how many it was given."""

    def __init__(self):
        self.given = []

    def read(self, name, prepared):
        self.given.append((name, len(prepared)))
        return [one.text for one in prepared]


def test_what_an_attack_leaves_as_it_was_is_not_read_again(monkeypatch):
    monkeypatch.setattr(
        "benchmarks.accuracy.left_out_parts.attacked.ATTACKS", {"zero width": None, "odd": None}
    )
    monkeypatch.setattr(
        "benchmarks.accuracy.left_out_parts.attacked.attack",
        lambda name, body: body.replace("word", "w\u200bord") if name == "zero width" else f"odd {body}",
    )
    reader = Reading()
    found = under_attacks(Judge(), [text("m", 1), text("n", 1), text("h", 0)], reader)
    assert reader.given == [(UNTOUCHED, 3), ("odd", 3)]
    rows = found["rows"]
    assert rows["zero width"]["undone"] == 1.0
    assert rows["zero width"]["found_change"]["value"] == 0.0
    assert rows["odd"]["undone"] == 0.0
    assert rows["odd"]["found"]["value"] == 0.0
    assert rows["odd"]["found_change"]["value"] == -1.0
    assert rows["none"]["accused"]["n"] == found["n_human"] == 1


def test_scores_of_texts_are_read_once(tmp_path, small):
    told = []
    reader = Reader(small.open_panel(), tmp_path, told.append)
    from ghostbuster.text.prepare import prepare

    first = reader.read("x", [prepare(WORDS)])
    again = reader.read("x", [prepare(WORDS)])
    assert len(told) == 1
    assert small.probability_of(first) == pytest.approx(small.probability_of(again))


def test_mixtures_hold_so_many_machine_pieces_of_one_source_and_no_group_twice():
    texts = [
        replace(text(f"{s}{label}{i}", label, s, words=130), group=i + 100 * label)
        for s in "ab"
        for label in (0, 1)
        for i in range(6)
    ]
    made = Material(tuple(texts), None, np.empty(0))
    found = mixtures(made, ("a",))
    assert {one.n_machine for one in found} == set(range(PIECES + 1))
    for one in found:
        pieces = [texts[i] for i in one.rows]
        assert sum(piece.label for piece in pieces) == one.n_machine
        assert {piece.source for piece in pieces} == {"a"}
        assert len({piece.group for piece in pieces}) == PIECES


def test_joined_texts_are_one_text_with_the_scores_of_its_pieces(small):
    from prose import passages as prose_of

    reading = small.read(prose_of(3, 150))
    one = joined(reading, (2, 0))
    assert one.texts == (f"{reading.texts[2]} {reading.texts[0]}",)
    assert one.n_tokens[0] == reading.n_tokens[2] + reading.n_tokens[0]
    for i, begin in ((2, 0), (0, len(reading.texts[2]) + 1)):
        part = reading.take(np.array([i]))
        place = np.searchsorted(one.ends, part.ends + begin)
        assert np.array_equal(one.ends[place], part.ends + begin)
        assert np.array_equal(
            one.vectors.channels["strong.logprob"][place], part.vectors.channels["strong.logprob"]
        )


def test_joined_states_are_those_of_the_blocks_and_their_mean():
    from benchmarks.accuracy.left_out_parts.mixed import _joined_states

    def states(value, counts):
        blocks = np.full((len(counts), 1, 2), value, dtype=np.float16)
        n = len(counts)
        return HiddenStates(
            np.array([3]), np.full((1, 1, 2), value, dtype=np.float16), np.array([3]), blocks,
            np.array(counts), np.arange(1, n + 1) * 10, np.array([0, n]),
        )  # fmt: skip

    one = _joined_states([states(1.0, [64, 32]), states(4.0, [32])], [0, 25])
    assert one.ends.tolist() == [10, 20, 35]
    assert one.means[0, 0].tolist() == [1.75, 1.75]  # (96 * 1 + 32 * 4) / 128
    assert one.passage_means(0, [(25, 35)], [3])[0, 0].tolist() == [4.0, 4.0]


def test_a_detector_without_a_source_has_never_seen_it_and_is_kept(tmp_path, small):
    made = material(files=("a.one", "b.one", "c.one", "d.one"), per_class=40)
    like = small.with_params(space="ngram", max_features=2, readers="features,words")
    seen = []
    found = detector_without(("a",), made, held_out_of(made), like, tmp_path, seen.append)
    assert len(found.features_) <= 2
    assert seen == ["learning from 240 texts without a"]
    again = detector_without(("a",), made, held_out_of(made), like, tmp_path, seen.append)
    assert len(seen) == 1
    assert again.probability_of(made.reading) == pytest.approx(found.probability_of(made.reading))
    changed = Material(
        tuple(
            replace(one, text="other words", label=1 - one.label) if one.source == "a" else one
            for one in made.texts
        ),
        made.reading,
        made.ends,
    )
    (tmp_path / "other").mkdir()
    third = detector_without(("a",), changed, held_out_of(made), like, tmp_path / "other", seen.append)
    assert third.probability_of(made.reading) == pytest.approx(found.probability_of(made.reading))


def test_noise_is_counted_on_the_probe_alone(small):
    made = material(files=("a.one", "detectrl.human_perturbed"), per_class=30)
    found = under_noise(small.with_params(min_tokens=1), made)
    assert sum(one["accused"]["n"] for one in found.values()) == np.sum(
        made.files == "detectrl.human_perturbed"
    )
    json.dumps(found)


def test_texts_of_sources_without_both_classes_are_not_mixed(small):
    made = material(files=("a.one",), per_class=5)
    assert mixed_figures([(small, ("b",))], made) == {}
