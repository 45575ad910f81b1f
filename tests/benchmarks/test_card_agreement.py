"""What the benchmark for graphics cards says of two devices that do and do not agree."""

import numpy as np
import pytest
from prose import row, write

pytest.importorskip("gguf", reason="needs the benchmark extra")

from benchmarks.speed.card_agreement import Answer, answer, compared, differences, labelled
from ghostbuster.arrays import Vectors
from ghostbuster.decision.verdict import Verdict
from ghostbuster.detector.artifact import load

TEXT = (
    "The path led down through the wet fern to a gate that nobody had closed for years, and beyond it the "
    "river lay between its banks like something that had been put down there and forgotten. "
)


def scored(logprobs):
    """Two texts, of two tokens and of three, and an empty one between them."""
    channels = {"logprob": np.array(logprobs, np.float32), "rank": np.ones(5, np.float32)}
    both = {f"{role}.{name}": values for role in ("weak", "strong") for name, values in channels.items()}
    return Vectors(both, np.array([0, 2, 2, 5]))


def judged(probability, label):
    return Verdict(probability, label, (), 200, 150)


def made(device, logprobs, raw, *verdicts):
    return Answer(device, scored(logprobs), np.array(raw), verdicts)


def test_differences_are_of_tokens_of_texts_and_of_verdicts():
    cpu = made(
        "CPU",
        [-1, -2, -3, -4, -5],
        [1.0, 2.0, 3.0],
        judged(0.2, "human"),
        judged(float("nan"), "unsure"),
        judged(0.9, "machine"),
    )
    card = made(
        "X0",
        [-1, -2.5, -3, -4, -5.3],
        [1.0, 2.0, 3.3],
        judged(0.5, "unsure"),
        judged(float("nan"), "unsure"),
        judged(0.9, "machine"),
    )
    found = differences(cpu, card)
    assert (found["cpu"], found["device"], found["n_texts"], found["n_tokens"]) == ("CPU", "X0", 3, 5)
    assert found["weak.logprob"] == {"mean": pytest.approx(0.16), "largest": pytest.approx(0.5)}
    # 0.5 over two tokens, 0.3 over three; the empty text has no mean
    assert found["strong, mean logprob of a text"] == {
        "mean": pytest.approx(0.175),
        "largest": pytest.approx(0.25),
    }
    assert found["weak.rank"] == {"mean": 0.0, "largest": 0.0}
    spread = (2 / 3) ** 0.5
    assert found["raw score"] == {"mean": pytest.approx(0.1 / spread), "largest": pytest.approx(0.3 / spread)}
    assert found["probability"] == {"mean": pytest.approx(0.15), "largest": pytest.approx(0.3)}
    assert (found["n_judged"], found["labels_changed"]) == (2, 1)


def test_a_device_agrees_with_itself_in_everything_and_judges_as_the_detector_does():
    texts = [TEXT * 4, TEXT * 3 + "That was all of it."]
    once, again = (answer(texts, "cpu") for _ in range(2))
    found = differences(once, again)
    apart = [value["largest"] for value in found.values() if isinstance(value, dict)]
    assert len(apart) > 8
    assert set(apart) == {0.0}
    assert found["labels_changed"] == 0
    assert list(once.verdicts) == load("lite").judge(texts)


def test_without_labelled_texts_passages_of_the_licence_are_compared():
    found = compared(None, 2)
    assert found["n_texts"] == 2
    assert 100 <= found["n_tokens"] <= 1000


def test_texts_are_of_both_classes_of_every_file_that_may_be_learned_from(tmp_path):
    for name in ("one", "two", "hc3plus.val_si_en"):
        texts = [f"{name} {TEXT * 4}Number {i} of these." for i in range(8)]
        write(tmp_path, name, [row(str(i), text, i % 2) for i, text in enumerate(texts)])
    texts = labelled(tmp_path, 2)
    assert len(texts) == 8  # two of each class of two files
    assert not any(text.startswith("hc3plus") for text in texts)
