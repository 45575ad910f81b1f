import ctypes
import json
import os
import re
import sys
from dataclasses import replace
from threading import Thread

import llama_cpp
import numpy as np
import pytest

from ghostbuster.models.gguf.check import check_model
from ghostbuster.models.gguf.header import read_header
from ghostbuster.models.panels import weights_folder
from ghostbuster.models.sandbox import cpu_path as probe
from ghostbuster.models.sandbox.cpu_path import Finding, cache_file, cached_cpu_path, cpu_path
from ghostbuster.models.sandbox.cpu_path_model import MATRICES, write_probe_model
from training.data.make_gguf import Shape, make_gguf

SOUND = {"logprobs": [-1.0, -2.0, -0.5], "seconds": 2.0}


@pytest.fixture(autouse=True)
def forgetful(monkeypatch, tmp_path):
    """No answer is known, in this process or on disk."""
    monkeypatch.setenv("GHOSTBUSTER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(probe, "_known", {})


@pytest.fixture(scope="module")
def quantised(tmp_path_factory):
    """A small model of 8-bit weights."""
    shape = Shape(width=64, heads=2, hidden=128, quantisation="Q8_0")
    return check_model(make_gguf(tmp_path_factory.mktemp("quantised") / "q8.gguf", shape))


def child_that(monkeypatch, code):
    """Have the probe start ``python -c code`` in place of its child."""
    monkeypatch.setattr(probe, "child_command", lambda _model: [sys.executable, "-c", code])


def child_that_answers(monkeypatch, fast, safe=SOUND):
    child_that(monkeypatch, f"print({json.dumps({'safe': safe, 'fast': fast})!r})")


def no_child(monkeypatch):
    monkeypatch.setattr(probe, "child_command", lambda _model: pytest.fail("a child was started"))


def forget_in_this_process():
    probe._known.clear()


UNFIT = {
    "dies of an illegal instruction": (
        "import os, signal; os.kill(os.getpid(), signal.SIGILL)",
        r"ends the process here \(SIGILL\)",
    ),
    "is killed for want of memory": (
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        r"ends the process here \(SIGKILL\)",
    ),
    "fails": ("raise SystemExit(3)", r"fails here \(exit code 3\)"),
    "hangs": ("import time; time.sleep(600)", "gave no answer within 0.5 seconds"),
    "prints nothing": ("", "no answer that can be read"),
    "prints rubbish": ("print('ggml_abort \\x00 {]')", "no answer that can be read"),
    "prints other JSON": ("print('[1, 2]')", "no answer that can be read"),
    "floods its output": ("print('[' * (1 << 22))", "no answer that can be read"),
}


@pytest.mark.skipif(os.name == "nt", reason="signals are of POSIX")
@pytest.mark.parametrize("what", UNFIT)
def test_whatever_becomes_of_the_child_the_safe_path_is_taken_and_the_reason_remembered(
    monkeypatch, quantised, what
):
    code, reason = UNFIT[what]
    child_that(monkeypatch, code)
    if what == "hangs":
        monkeypatch.setattr(probe, "TIME_LIMIT", 0.5)
    found = cpu_path(quantised)
    assert (found.path, found.usable) == ("safe", False)
    assert pytest.approx(0) == found.gain
    assert re.search(reason, found.reason)
    no_child(monkeypatch)
    assert cpu_path(quantised) == found
    forget_in_this_process()
    assert cpu_path(quantised) == found  # from disk


def test_a_child_that_hangs_is_ended(monkeypatch, quantised, tmp_path):
    mark = tmp_path / "child"
    child_that(
        monkeypatch, f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    )
    monkeypatch.setattr(probe, "TIME_LIMIT", 3.0)
    cpu_path(quantised)
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)


@pytest.mark.parametrize(
    ("fast", "reason"),
    [
        ([-1.0, -2.0, -1.5], r"wrong numbers here \(off by 0.33 nats a token, 1 at worst\)"),
        ([-1.16, -2.16, -0.34], "wrong numbers"),  # 0.16 everywhere, more than the mean may
        ([-1.04, -2.04, -0.54], "wrong numbers"),  # 0.04 the same way everywhere
        ([-1.0, -2.0, float("nan")], "no log-probs"),
        ([-1.0, -2.0, 0.5], "no log-probs"),
        ([-1.0, -2.0], "no answer that can be read"),
        (["a", -2.0, -0.5], "no answer that can be read"),
    ],
)
def test_wrong_numbers_lead_to_the_safe_path_however_fast(monkeypatch, quantised, fast, reason):
    child_that_answers(monkeypatch, {"logprobs": fast, "seconds": 0.1})
    found = cpu_path(quantised)
    assert (found.path, found.usable) == ("safe", False)
    assert re.search(reason, found.reason)


def test_right_numbers_in_less_time_lead_to_the_fast_path(monkeypatch, quantised):
    child_that_answers(monkeypatch, {"logprobs": [-1.05, -1.96, -0.5], "seconds": 0.8})
    found = cpu_path(quantised)
    assert found == Finding(
        "fast", "2.50 times the tokens/s of the safe path, within 0.05 nats of it on every token", True, 2.5
    )
    no_child(monkeypatch)
    forget_in_this_process()
    assert cpu_path(quantised) == found


def test_right_numbers_that_come_no_sooner_lead_to_the_safe_path(monkeypatch, quantised):
    child_that_answers(monkeypatch, {"logprobs": SOUND["logprobs"], "seconds": 1.9})
    found = cpu_path(quantised)
    assert (found.path, found.usable, found.gain) == ("safe", True, pytest.approx(2.0 / 1.9))
    assert found.reason == "the fast path gives 1.05 times the tokens/s here"


def test_no_seconds_are_no_answer(monkeypatch, quantised):
    child_that_answers(monkeypatch, {"logprobs": SOUND["logprobs"], "seconds": 0})
    assert cpu_path(quantised).reason == "the fast path gave no answer that can be read"


def test_the_real_child_answers_and_the_answer_holds_for_every_model_of_the_type(
    monkeypatch, quantised, tmp_path
):
    found = cpu_path(quantised)
    if not found.usable:  # an AMX machine with a build that cannot use it
        assert "SIGILL" in found.reason or "wrong numbers" in found.reason
    no_child(monkeypatch)
    shape = Shape(width=96, heads=2, hidden=128, quantisation="Q8_0", seed=3)
    assert cpu_path(check_model(make_gguf(tmp_path / "other.gguf", shape))) == found


@pytest.mark.parametrize("kind", ["F16", "F32", "BF16"])
def test_models_that_are_not_quantised_never_start_a_child(monkeypatch, tmp_path, kind):
    no_child(monkeypatch)
    file = check_model(make_gguf(tmp_path / "m.gguf", Shape(quantisation=kind)))
    found = cpu_path(file)
    assert (found.path, found.tried) == ("safe", False)
    assert not cache_file(file).exists()


def test_the_embedded_models_never_start_a_child(monkeypatch):
    no_child(monkeypatch)
    for name in ("embedded-weak.gguf", "embedded-strong.gguf"):
        assert cpu_path(check_model(weights_folder() / name)).path == "safe"


def test_another_build_cpu_or_kind_of_model_is_asked_about_anew(monkeypatch, quantised):
    places = {cache_file(quantised)}
    places.add(cache_file(replace(quantised, matrix_types=("Q4_K", "Q6_K"))))
    monkeypatch.setattr(probe, "cpu", lambda: ("another", ("avx",)))
    places.add(cache_file(quantised))
    monkeypatch.setattr(probe, "build_digest", lambda: "another")
    places.add(cache_file(quantised))
    assert len(places) == 4


@pytest.mark.parametrize(
    "damage",
    ["", "{", "[]", '{"path": "fast"}', '{"path": "quick", "reason": "", "usable": true, "gain": 1}',
     '{"path": "fast", "reason": "", "usable": false, "gain": 2}'],
)  # fmt: skip
def test_a_damaged_answer_is_asked_for_again(monkeypatch, quantised, damage):
    cache_file(quantised).parent.mkdir(parents=True)
    cache_file(quantised).write_text(damage)
    assert cached_cpu_path(quantised) is None
    child_that_answers(monkeypatch, {"logprobs": SOUND["logprobs"], "seconds": 1.0})
    assert cpu_path(quantised).path == "fast"
    forget_in_this_process()
    assert cached_cpu_path(quantised) is not None


def test_without_a_folder_to_write_the_answer_is_kept_for_this_process(monkeypatch, quantised, tmp_path):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("GHOSTBUSTER_CACHE", str(tmp_path / "file" / "cache"))
    child_that_answers(monkeypatch, {"logprobs": SOUND["logprobs"], "seconds": 1.0})
    found = cpu_path(quantised)
    no_child(monkeypatch)
    assert cpu_path(quantised) is found


def test_no_python_to_start_is_a_reason_too(monkeypatch, quantised):
    monkeypatch.setattr(probe, "child_command", lambda _model: ["/nowhere/python"])
    found = cpu_path(quantised)
    assert (found.path, found.usable) == ("safe", False)
    assert found.reason.startswith("the fast path could not be tried")
    assert not cache_file(quantised).exists()  # the next process tries again


def test_threads_that_ask_at_once_start_one_child(monkeypatch, quantised, tmp_path):
    started = tmp_path / "started"
    answer = json.dumps({"safe": SOUND, "fast": SOUND})
    child_that(monkeypatch, f"open({str(started)!r}, 'a').write('x'); print({answer!r})")
    threads = [Thread(target=cpu_path, args=(quantised,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert started.read_text() == "x"


def test_the_answer_is_written_whole_or_not_at_all(monkeypatch, quantised):
    child_that_answers(monkeypatch, {"logprobs": SOUND["logprobs"], "seconds": 1.0})
    cpu_path(quantised)
    place = cache_file(quantised)
    assert list(place.parent.iterdir()) == [place]  # nothing temporary is left
    assert json.loads(place.read_text())["path"] == "fast"


# the little model


def bytes_of(path, name):
    header = read_header(path)
    tensor = header.tensors[name]
    with path.open("rb") as stream:
        stream.seek(header.data_begin + tensor.offset)
        return stream.read(tensor.n_bytes)


def test_the_little_model_has_the_types_and_the_bytes_of_the_model(tmp_path, quantised):
    little = tmp_path / "little.gguf"
    write_probe_model(quantised.path, little)
    header = read_header(little)  # which checks it, too
    matrices = {
        name: tensor
        for name, tensor in header.tensors.items()
        if name.startswith("blk") and len(tensor.dimensions) > 1
    }
    assert len(matrices) == 4 * len(MATRICES)
    assert {tensor.type_name for tensor in matrices.values()} == {"Q8_0"}
    embeddings = bytes_of(quantised.path, "token_embd.weight")  # the largest of its matrices, with the output
    for name in matrices:
        data = bytes_of(little, name)
        assert data[: len(embeddings)] == embeddings[: len(data)]


def test_types_that_few_tensors_have_are_in_the_little_model_too(tmp_path):
    plain = make_gguf(tmp_path / "f16.gguf", Shape(width=256, hidden=512, layers=3))
    path = tmp_path / "q4_k_m.gguf"
    settings = llama_cpp.llama_model_quantize_default_params()
    settings.ftype = llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_M
    assert llama_cpp.llama_model_quantize(os.fsencode(plain), os.fsencode(path), ctypes.byref(settings)) == 0
    assert set(check_model(path).matrix_types) == {"Q4_K", "Q6_K"}
    write_probe_model(path, tmp_path / "little.gguf")
    little = read_header(tmp_path / "little.gguf").tensors
    types = [t.type_name for name, t in little.items() if len(t.dimensions) > 1 and "blk" in name]
    assert set(types) == {"Q4_K", "Q6_K"}
    assert types.count("Q4_K") > types.count("Q6_K") > 0


def test_the_layers_of_the_little_model_decide_its_log_probs(tmp_path, quantised):
    """Else wrong kernels could not be told from right ones."""
    from ghostbuster.models.llama.cpu_path_child import _file, _read
    from ghostbuster.models.llama.runtime import Context, Weights

    other = check_model(
        make_gguf(tmp_path / "b.gguf", Shape(width=64, heads=2, hidden=128, quantisation="Q8_0", seed=5))
    )
    ids = np.arange(296, dtype=np.int32)
    read = []
    for i, model in enumerate((quantised, other)):
        little = tmp_path / f"little{i}.gguf"
        write_probe_model(model.path, little)
        read.append(_read(Context(Weights(_file(little)), 512), ids)[0])
    assert np.abs(read[0] - read[1]).mean() > 10 * probe.MAX_MEAN
