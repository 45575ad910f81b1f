"""What must hold on a graphics card; a software one of Vulkan's will do (CONTRIBUTING.md says how)."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.speed.card_agreement import A_TEXT, A_TOKEN
from ghostbuster.detector.artifact import load_default
from ghostbuster.models.backend import build
from ghostbuster.models.backend.devices import Placement, on_device
from ghostbuster.models.llama.language_model import LlamaLM
from ghostbuster.models.panel import open_panel
from ghostbuster.models.panels import weights_folder
from training.data.make_gguf import Shape, make_gguf

pytestmark = pytest.mark.gpu

EXAMPLES = Path(__file__).parents[2] / "examples"
TEXT = "The letter that she had written was not for him, but it was on the table."
SMALL_BUFFERS = {
    f"GGML_VK_{name}": "100000" for name in ("FORCE_MAX_ALLOCATION_SIZE", "FORCE_MAX_BUFFER_SIZE")
}


@pytest.fixture(scope="module")
def card():
    if not build.can_offload():
        pytest.skip("llama.cpp can use no graphics card here")
    return next(device.name for device in build.devices() if device.kind == "gpu")


def score_file(path, *options, **variables):
    """The command in a process of its own: what it printed, on both streams."""
    done = subprocess.run(
        [sys.executable, "-m", "ghostbuster.cli", "score-file", str(path), *options],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | variables,
    )
    return done.stdout, done.stderr


def test_a_card_scores_as_the_cpu_does_within_the_stated_tolerance(card):
    text = (EXAMPLES / "human.txt").read_text("utf-8")
    on_card, on_cpu = (open_panel(device=device).score([text]) for device in (card, "cpu"))
    for source in ("weak", "strong"):
        a, b = (scores[source].channels["logprob"] for scores in (on_card, on_cpu))
        assert np.abs(a - b).max() < A_TOKEN
        assert abs(float(a.mean() - b.mean())) < A_TEXT


def test_a_card_gives_the_same_numbers_whatever_the_batch(card):
    panel = open_panel(device=card)
    together, alone = panel.score([TEXT, TEXT * 20]), panel.score([TEXT])
    for source in ("weak", "strong"):
        np.testing.assert_array_equal(
            together[source].take([0]).channels["logprob"], alone[source].channels["logprob"]
        )


def test_a_text_longer_than_the_context_slides_through_a_card_too(card):
    path = weights_folder() / "embedded-weak.gguf"
    text = " ".join((EXAMPLES / "human.txt").read_text("utf-8").split())
    a, b = (
        LlamaLM(path, "weak", wanted=Placement(device), n_ctx=128).score([text]).channels["logprob"]
        for device in (card, "cpu")
    )
    assert a.size > 3 * 128
    assert np.abs(a - b).max() < A_TOKEN


def test_some_layers_on_a_card_and_the_others_on_the_cpu_score_too(card, tmp_path):
    path = make_gguf(tmp_path / "seven.gguf", Shape(layers=7))
    partly = LlamaLM(path, "weak", wanted=Placement(card, 3))
    assert (partly.n_gpu_layers, partly.device) == (3, f"{card}+CPU")
    whole = LlamaLM(path, "weak", wanted=Placement("cpu"))
    a, b = (lm.score([TEXT]).channels["logprob"] for lm in (partly, whole))
    assert np.abs(a - b).max() < A_TOKEN


def test_verdicts_of_the_shipped_detector_are_the_same_on_a_card(card):
    detector = load_default()
    texts = [(EXAMPLES / f"{name}.txt").read_text("utf-8") for name in ("human", "machine")]
    verdicts = []
    for device in (card, "cpu"):
        with on_device(device):
            verdicts.append(detector.judge(texts))
    for there, here in zip(*verdicts, strict=True):
        assert there.label == here.label
        assert there.probability == pytest.approx(here.probability, abs=0.05)  # a step of the calibration


def test_a_card_says_nothing_of_itself_on_the_terminal(card, tmp_path):
    (tmp_path / "short.txt").write_text(TEXT, "utf-8")
    _, said = score_file(tmp_path / "short.txt", "--device", card)
    assert said == ""


def test_what_does_not_fit_on_a_card_is_read_elsewhere_and_told_in_a_line(card, tmp_path):
    if not card.startswith("Vulkan"):
        pytest.skip(f"no way is known to leave {card} without memory")
    (tmp_path / "some.txt").write_text((EXAMPLES / "human.txt").read_text("utf-8")[:700], "utf-8")
    result, said = score_file(tmp_path / "some.txt", "--device", card, **SMALL_BUFFERS)
    notes = [line for line in said.splitlines() if line.startswith("ghostbuster: note: ")]
    for name, layers in (("weak", 4), ("strong", 5)):
        assert any(
            f"{name}.gguf: 1 of {layers} layers on {card}, for want of memory" in line for line in notes
        )
    assert result == score_file(tmp_path / "some.txt", "--device", "cpu")[0]
