import json
from pathlib import Path

import pytest

from ghostbuster.cli import main
from ghostbuster.models.backend import build
from ghostbuster.models.llama import hardware
from ghostbuster.models.llama.hardware import cuda_build_command, faster_build_command, hardware_report
from ghostbuster.models.sandbox import cpu_path as probe
from ghostbuster.models.sandbox.cpu_path import NOTHING_TO_TRY, Finding, cache_file
from training.data.make_gguf import Shape, make_gguf

PLAIN = Finding("safe", NOTHING_TO_TRY)
DEADLY = Finding("safe", "the fast path ends the process here (SIGILL)")
SLOW = Finding("safe", "0.8 times", usable=True, gain=0.8)


@pytest.fixture
def models(tmp_path, monkeypatch):
    """A quantised and an F16 model, of which nothing is known."""
    monkeypatch.setattr(probe, "_known", {})
    monkeypatch.setenv("GHOSTBUSTER_CACHE", str(tmp_path / "cache"))
    shape = Shape(width=64, heads=2, hidden=128, quantisation="Q4_0")
    return [
        ("weak", make_gguf(tmp_path / "q4.gguf", shape)),
        ("strong", make_gguf(tmp_path / "f16.gguf")),
    ]


def machine(monkeypatch, *, amx=False, nvidia=False, offload=False):
    monkeypatch.setattr(hardware, "has_amx", lambda: amx)
    monkeypatch.setattr(hardware, "has_nvidia_card", lambda: nvidia)
    monkeypatch.setattr(hardware, "can_offload", lambda: offload)


def paths(models, **options):
    return hardware_report(models, **options)["cpu_paths"]


def test_looking_starts_no_child_and_says_how_to_try(models, monkeypatch):
    monkeypatch.setattr(probe, "child_command", lambda _model: pytest.fail("a child was started"))
    quantised, plain = paths(models, ask=False)
    assert (quantised["role"], quantised["file"], quantised["path"]) == ("weak", "q4.gguf", "unknown")
    assert "ghostbuster info --verbose" in quantised["reason"]
    assert (plain["path"], plain["reason"]) == ("safe", NOTHING_TO_TRY)


def test_asking_finds_out_and_names_the_file_that_remembers(models):
    quantised, plain = paths(models, ask=True)
    assert quantised["path"] in {"safe", "fast"}
    assert quantised["reason"]
    assert json.loads(Path(quantised["remembered_in"]).read_text())["path"] == quantised["path"]
    assert "remembered_in" not in plain
    assert paths(models, ask=False) == [quantised, plain]


@pytest.mark.parametrize(
    ("wish", "finding", "path"), [("safe", SLOW, "safe"), ("fast", SLOW, "fast"), ("fast", DEADLY, "none")]
)
def test_a_forced_path_is_shown_with_what_forces_it(models, monkeypatch, wish, finding, path):
    monkeypatch.setattr(hardware, "cached_cpu_path", lambda _file: finding)
    monkeypatch.setenv("GHOSTBUSTER_CPU_PATH", wish)
    row = paths(models, ask=False)[0]
    assert (row["path"], row["reason"]) == (path, f"GHOSTBUSTER_CPU_PATH={wish}; {finding.reason}")


def test_a_model_that_is_gone_is_told_in_its_place(models, tmp_path):
    (tmp_path / "q4.gguf").unlink()
    quantised, plain = paths(models, ask=False)
    assert "q4.gguf: no such file" in quantised["reason"]
    assert plain["path"] == "safe"


def test_info_shows_build_devices_and_paths_in_both_forms(capsys):
    assert main(["info", "--format", "json"]) == 0
    facts = json.loads(capsys.readouterr().out)["llama_cpp"]
    assert facts["version"] == build.llama_version()
    assert facts["system"].startswith(("CPU", "CUDA", "Metal"))
    assert {"name", "kind", "description", "memory_bytes"} == set(facts["devices"][0])
    assert [(row["role"], row["path"]) for row in facts["cpu_paths"]] == [
        ("weak", "safe"),
        ("strong", "safe"),
    ]
    assert main(["info", "--verbose"]) == 0
    out = capsys.readouterr().out
    assert f"system: {facts['system']}" in out
    assert NOTHING_TO_TRY in out


def test_an_amx_machine_whose_build_dies_gets_the_flags_that_mend_it(monkeypatch):
    machine(monkeypatch, amx=True)
    version = build.llama_version()
    assert faster_build_command([PLAIN, DEADLY]) == (
        """CMAKE_ARGS='-DCMAKE_CXX_FLAGS='"'"'-fno-tree-dse -fno-dse'"'"'' """
        "pip install --force-reinstall --no-deps --no-cache-dir --no-binary=llama-cpp-python "
        f"llama-cpp-python=={version}"
    )
    assert faster_build_command([PLAIN, SLOW]) is None
    assert faster_build_command([]) is None


def test_an_nvidia_card_that_the_build_cannot_use_gets_the_cuda_build(monkeypatch):
    machine(monkeypatch, nvidia=True, amx=True)
    assert str(faster_build_command([DEADLY])).startswith("CMAKE_ARGS=-DGGML_CUDA=on pip install")
    machine(monkeypatch, nvidia=True, offload=True)
    assert faster_build_command([PLAIN]) is None


def test_elsewhere_no_command_is_known(monkeypatch):
    machine(monkeypatch)
    assert faster_build_command([DEADLY]) is None


def test_the_command_is_shown_where_there_is_one(models, monkeypatch):
    machine(monkeypatch, nvidia=True)
    assert hardware_report(models, ask=False)["faster"] == cuda_build_command()
    machine(monkeypatch)
    assert "faster" not in hardware_report(models, ask=False)
    assert not cache_file(hardware.check_model(models[0][1])).exists()
