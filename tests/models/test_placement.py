"""Where models compute. Graphics cards are played by a fake build; test_real_card.py needs a real one."""

import hashlib
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import ghostbuster
from ghostbuster.cli import main
from ghostbuster.detector.manifest import check_fingerprints
from ghostbuster.errors import ArtifactError, ModelError, SettingError
from ghostbuster.models.backend import build
from ghostbuster.models.backend.build import Device
from ghostbuster.models.backend.devices import Placement, on_device, placement
from ghostbuster.models.gguf.check import check_model
from ghostbuster.models.llama import load as loading
from ghostbuster.models.llama.language_model import ENGINE_VERSION, LlamaLM, fingerprint_of
from ghostbuster.models.llama.load import cards, load_model, path_for
from ghostbuster.models.llama.runtime import Context, Weights
from ghostbuster.models.panel import open_panel
from ghostbuster.models.sandbox.cpu_path import Finding
from training.data.make_gguf import Shape, make_gguf

HUMAN = str(Path(__file__).parents[2] / "examples" / "human.txt")

CARDS = (
    Device("CUDA0", "a card", "gpu", 1 << 30, 7),
    Device("CUDA1", "another", "gpu", 1 << 30, 8),
    Device("CPU", "the host", "cpu", 1 << 34, 9),
)
TEXT = "The letter that she had written was not for him, but it was on the table."


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("placement")


@pytest.fixture(scope="module")
def model(folder):
    """Seven layers: eight with the head; so large, it says, that several cards may share it."""
    return replace(check_model(make_gguf(folder / "seven.gguf", Shape(layers=7))), n_bytes=2 << 30)


@pytest.fixture(scope="module")
def quantised(folder):
    shape = Shape(width=64, heads=2, hidden=128, quantisation="Q8_0")
    return check_model(make_gguf(folder / "q8.gguf", shape))


@pytest.fixture
def two_cards(monkeypatch):
    monkeypatch.setattr(build, "can_offload", lambda: True)
    monkeypatch.setattr(build, "devices", lambda: CARDS)


class Memory:
    """Cards with room for so many layers, and so many contexts beside them."""

    def __init__(self, monkeypatch, layers, contexts=9):
        self.layers, self.contexts, self.tried, self.freed = layers, contexts, [], []
        monkeypatch.setattr(loading, "Weights", self.weights)
        monkeypatch.setattr(loading, "Context", self.context)

    def weights(self, file, placed):
        self.tried.append(placed)
        if placed.gpu_layers > self.layers:
            raise ModelError(f"{file.path}: llama.cpp cannot load it (out of memory)")
        self.made = 0
        return self.Thing("weights", self)

    def context(self, _weights, _n_context, _layers):
        self.made += 1
        if self.made > self.contexts:
            raise ModelError("no context")
        return self.Thing("context", self)

    class Thing:
        def __init__(self, name, memory):
            self.name, self.memory = name, memory

        def close(self):
            self.memory.freed.append(self.name)


# what is wanted


@pytest.mark.usefixtures("two_cards")
def test_without_a_wish_everything_goes_on_cards_where_there_are_any():
    assert cards(Placement()) == CARDS[:2]


def test_a_build_without_cards_computes_on_the_cpu_and_says_nothing(monkeypatch, caplog):
    monkeypatch.setattr(build, "can_offload", lambda: False)
    assert cards(Placement()) == cards(Placement(gpu_layers=0)) == cards(Placement(device="CPU")) == ()
    assert caplog.text == ""


@pytest.mark.parametrize("wish", [Placement(device="CUDA0"), Placement(gpu_layers=10)])
def test_a_card_that_is_wanted_where_none_can_be_used_is_refused_with_the_remedy(monkeypatch, wish):
    monkeypatch.setattr(build, "can_offload", lambda: False)
    with pytest.raises(SettingError, match=r"finds no graphics card.*CMAKE_ARGS=-DGGML_CUDA=on pip install"):
        cards(wish)


@pytest.mark.usefixtures("two_cards")
def test_one_card_is_taken_by_its_name_in_any_case():
    assert cards(Placement(device="cuda1")) == (CARDS[1],)


@pytest.mark.usefixtures("two_cards")
def test_the_cpu_and_no_layers_are_the_cpu_on_a_build_with_cards():
    assert cards(Placement(device="cpu")) == cards(Placement(gpu_layers=0)) == ()


@pytest.mark.usefixtures("two_cards")
def test_an_unknown_card_is_refused_with_the_names_there_are():
    with pytest.raises(
        SettingError, match="no device is called 'CUDA2'; expected one of 'cpu', 'CUDA0', 'CU"
    ):
        cards(Placement(device="CUDA2"))


def test_layers_below_zero_are_refused():
    with pytest.raises(SettingError, match="gpu_layers=-1; expected 0 or more"):
        Placement(gpu_layers=-1)


def test_layers_of_a_card_on_the_cpu_are_refused():
    with pytest.raises(SettingError, match="device 'cpu' with gpu_layers=3; expected a graphics card"):
        Placement("cpu", 3)


def test_arguments_go_before_the_block_and_that_before_the_environment(monkeypatch):
    monkeypatch.setenv("GHOSTBUSTER_DEVICE", "Vulkan0")
    monkeypatch.setenv("GHOSTBUSTER_GPU_LAYERS", "5")
    monkeypatch.setenv("GHOSTBUSTER_CPU_PATH", "SAFE")
    assert placement() == Placement("Vulkan0", 5, "safe")
    with ghostbuster.on_device("cuda0"):
        assert placement() == Placement("cuda0", None, "safe")
        assert placement("cpu") == Placement("cpu", None, "safe")
        with on_device(gpu_layers=2):
            assert placement() == Placement(None, 2, "safe")
        assert placement().device == "cuda0"
    assert placement().device == "Vulkan0"


def test_variables_that_cannot_be_used_are_named(monkeypatch):
    monkeypatch.setenv("GHOSTBUSTER_GPU_LAYERS", "many")
    with pytest.raises(SettingError, match="GHOSTBUSTER_GPU_LAYERS='many'; expected a whole number"):
        placement()
    monkeypatch.delenv("GHOSTBUSTER_GPU_LAYERS")
    monkeypatch.setenv("GHOSTBUSTER_CPU_PATH", "sage")
    with pytest.raises(SettingError, match=r"GHOSTBUSTER_CPU_PATH.*'sage'.*did you mean 'safe'"):
        placement()


# what fits


@pytest.mark.usefixtures("two_cards")
def test_a_model_that_fits_is_put_on_the_cards_whole(monkeypatch, model, caplog):
    memory = Memory(monkeypatch, 99)
    loaded = load_model(model, 64, 2, Placement())
    assert (loaded.gpu_layers, loaded.device, len(loaded.contexts)) == (8, "CUDA0+CUDA1", 2)
    assert memory.tried[0].devices == (7, 8)
    assert caplog.text == ""


@pytest.mark.usefixtures("two_cards")
def test_a_small_model_is_put_on_one_card(monkeypatch, model):
    Memory(monkeypatch, 99)
    assert load_model(replace(model, n_bytes=1 << 20), 64, 2, Placement()).device == "CUDA0"


@pytest.mark.usefixtures("two_cards")
def test_layers_are_halved_until_they_fit_and_a_line_says_so(monkeypatch, model, caplog):
    memory = Memory(monkeypatch, 3)
    loaded = load_model(model, 64, 1, Placement(device="CUDA0"))
    assert [placed.gpu_layers for placed in memory.tried] == [8, 4, 2]
    assert (loaded.gpu_layers, loaded.device) == (2, "CUDA0+CPU")
    assert caplog.record_tuples == [
        ("ghostbuster", logging.WARNING, f"{model.path}: 2 of 8 layers on CUDA0, for want of memory")
    ]


@pytest.mark.usefixtures("two_cards")
def test_what_does_not_fit_at_all_computes_on_the_cpu(monkeypatch, model, caplog):
    memory = Memory(monkeypatch, 0)
    loaded = load_model(model, 64, 1, Placement(gpu_layers=5))
    assert [placed.gpu_layers for placed in memory.tried] == [5, 2, 1, 0]
    assert memory.tried[-1].devices == ()
    assert (loaded.gpu_layers, loaded.device, loaded.contexts) == (0, "CPU", ())
    assert "on the CPU, for want of memory on CUDA0+CUDA1" in caplog.text


@pytest.mark.usefixtures("two_cards")
def test_contexts_must_fit_beside_the_weights_or_both_are_freed(monkeypatch, model):
    memory = Memory(monkeypatch, 99, contexts=1)
    assert load_model(model, 64, 2, Placement(gpu_layers=1)).device == "CPU"
    assert memory.freed == ["context", "weights"]


@pytest.mark.usefixtures("two_cards")
def test_more_layers_than_the_model_has_are_all_of_them(monkeypatch, model, caplog):
    Memory(monkeypatch, 99)
    assert load_model(model, 64, 1, Placement(gpu_layers=100)).gpu_layers == 8
    assert caplog.text == ""


@pytest.mark.usefixtures("two_cards")
def test_a_model_that_loads_nowhere_gives_llama_cpps_reason(monkeypatch, model):
    Memory(monkeypatch, -1)
    with pytest.raises(ModelError, match=r"seven\.gguf: llama.cpp cannot load it \(out of memory\)"):
        load_model(model, 64, 1, Placement())


@pytest.mark.usefixtures("two_cards")
def test_the_command_line_says_in_one_line_what_did_not_fit(monkeypatch, capsys, detector_file):
    """With no card behind the names: llama.cpp loads on the CPU what the fake refuses on cards."""

    def weights(file, placed):
        if placed.gpu_layers:
            raise ModelError("no memory")
        return Weights(file, placed)

    monkeypatch.setattr(loading, "Weights", weights)
    assert main(["score-file", HUMAN, "-m", str(detector_file), "--device", "cuda0", "-f", "json"]) == 0
    captured = capsys.readouterr()
    assert '"device": "CPU"' in captured.out
    lines = captured.err.splitlines()
    assert len(lines) == 2  # one a model
    for line in lines:
        assert line.startswith("ghostbuster: note: ")
        assert line.endswith(".gguf: on the CPU, for want of memory on CUDA0")
    assert placement() == Placement("cpu")  # the command's choice ended with it: this is conftest's


def test_the_device_of_the_command_line_is_checked(capsys):
    if build.can_offload():
        pytest.skip("this machine has a card")
    for options in (["--device", "CUDA0"], ["--gpu-layers", "10"]):
        assert main(["score-file", HUMAN, *options]) == 2
        assert "finds no graphics card" in capsys.readouterr().err


# CPU paths


def found(monkeypatch, finding):
    monkeypatch.setattr(loading, "cpu_path", lambda _file: finding)


FAST = Finding("fast", "2 times", usable=True, gain=2.0)
SLOW = Finding("safe", "0.8 times", usable=True, gain=0.8)
DEADLY = Finding("safe", "the fast path ends the process here (SIGILL)")


@pytest.mark.parametrize(
    ("wish", "finding", "path"),
    [("auto", FAST, "fast"), ("auto", SLOW, "safe"), ("auto", DEADLY, "safe"), ("safe", FAST, "safe"),
     ("fast", SLOW, "fast"), ("fast", FAST, "fast")],
)  # fmt: skip
def test_the_path_is_the_users_wish_else_the_faster_that_is_right(
    monkeypatch, quantised, wish, finding, path
):
    found(monkeypatch, finding)
    assert path_for(quantised, wish) == path


def test_the_fast_path_needs_memory_for_its_copy_and_gives_way_to_the_safe_one(
    monkeypatch, quantised, caplog
):
    def weights(file, placed):
        if placed.fast:
            raise ModelError("no memory")
        return Weights(file, placed)

    found(monkeypatch, FAST)
    monkeypatch.setattr(loading, "Weights", weights)
    assert load_model(quantised, 64, 1, Placement("cpu")).cpu_path == "safe"
    assert "on the safe CPU path, for want of memory" in caplog.text
    with pytest.raises(ModelError, match="no memory"):  # a detector made on the fast path is read by no other
        load_model(quantised, 64, 1, Placement("cpu", cpu_path="fast"))


def test_the_fast_path_is_refused_where_it_is_wrong_however_much_it_is_wanted(monkeypatch, quantised):
    found(monkeypatch, DEADLY)
    with pytest.raises(ModelError, match=r"fast CPU path is wanted, but .*SIGILL.*GHOSTBUSTER_CPU_PATH=safe"):
        path_for(quantised, "fast")


def test_models_that_are_not_quantised_have_one_path_and_one_fingerprint(monkeypatch, model):
    monkeypatch.setattr(loading, "cpu_path", lambda _file: pytest.fail("asked"))
    assert {LlamaLM(model.path, "weak", wanted=Placement(cpu_path=p)).cpu_path for p in ("auto", "fast")} == {
        "safe"
    }


def test_the_safe_path_keeps_the_fingerprint_that_detectors_have_and_the_fast_one_has_its_own(
    monkeypatch, quantised
):
    found(monkeypatch, SLOW)
    settings = f"{'ab' * 32} context=64 decode=512 flash=1 engine={ENGINE_VERSION}"
    assert fingerprint_of("ab" * 32, 64, 512, "safe") == hashlib.sha256(settings.encode()).hexdigest()
    safe, fast = (LlamaLM(quantised.path, "weak", wanted=Placement(cpu_path=p)) for p in ("safe", "fast"))
    assert safe.fingerprint != fast.fingerprint
    assert safe.other_path == ("fast", fast.fingerprint)
    assert fast.other_path == ("safe", safe.fingerprint)


def test_a_detector_is_read_by_the_path_it_was_made_on(monkeypatch, quantised):
    found(monkeypatch, SLOW)
    other = make_gguf(quantised.path.parent / "q8-b.gguf", Shape(width=64, heads=2, quantisation="Q8_0"))
    made = {}
    for path in ("safe", "fast"):
        monkeypatch.setenv("GHOSTBUSTER_CPU_PATH", path)
        made[path] = open_panel(weak=quantised.path, strong=other).fingerprints
    monkeypatch.delenv("GHOSTBUSTER_CPU_PATH")
    for path, finding in (("safe", FAST), ("fast", SLOW)):
        found(monkeypatch, finding)  # what a new detector would be made on is the other one
        panel = open_panel(weak=quantised.path, strong=other, expected=made[path])
        assert panel.fingerprints == made[path]
        assert (panel.weak.cpu_path, panel.strong.cpu_path) == (path, path)
    monkeypatch.setenv("GHOSTBUSTER_CPU_PATH", "safe")
    forced = open_panel(weak=quantised.path, strong=other, expected=made["fast"])
    with pytest.raises(
        ArtifactError, match=r"this weak model on the fast CPU path.*set GHOSTBUSTER_CPU_PATH=fast, or leave"
    ):
        check_fingerprints(made["fast"], forced.fingerprints, forced.other_paths)


def test_the_fast_path_scores_as_the_safe_one_within_what_the_probe_allows(quantised):
    try:
        path_for(quantised, "fast")
    except ModelError as error:
        pytest.skip(str(error))
    safe, fast = (
        LlamaLM(quantised.path, "weak", wanted=Placement("cpu", cpu_path=p)).score([TEXT])
        for p in ("safe", "fast")
    )
    difference = np.abs(safe.channels["logprob"] - fast.channels["logprob"])
    assert difference.max() < 0.75
    assert difference.mean() < 0.15


# devices


def test_the_build_names_its_devices_the_cpu_among_them():
    there = build.devices()
    assert "cpu" in {device.kind for device in there}
    assert all(device.name and device.memory > 0 for device in there if device.kind == "cpu")
    assert any(device.kind == "gpu" for device in there) == build.can_offload()


def test_nothing_is_put_on_devices_by_default_and_a_context_reads(model):
    weights = Weights(model)
    assert Context(weights, 64).read(np.array([1, 5], np.int32), 0, 1).shape == (1, 512)
