"""Detector files from strangers: refused in one line, never run, in bounded memory."""

import bz2
import gzip
import io
import lzma
import math
import pickle
import subprocess
import sys
import zlib
from pathlib import Path

import joblib
import numpy as np
import pytest

from ghostbuster.artifacts.shipped import shipped
from ghostbuster.cli import main
from ghostbuster.detector import artifact
from ghostbuster.detector.artifact import Artifact, open_artifact
from ghostbuster.detector.safe_joblib import parse
from ghostbuster.errors import ArtifactError

LITE = shipped("lite")

SYSTEM = b"\x8c\x05posix\x8c\x06system\x93"  # STACK_GLOBAL of posix.system
COMMAND = b"\x8c\x0atouch flag\x85"
PROGRAMS = {
    "reduce": b"\x80\x04" + SYSTEM + COMMAND + b"R.",
    "global": b"cos\nsystem\n(S'touch flag'\ntR.",
    "eval": b'cbuiltins\neval\n(S\'open("flag","w")\'\ntR.',
    "getattr": b"\x80\x04cbuiltins\ngetattr\ncos\nsystem\n\x86R.",
    "getattr chain": b"\x80\x04cbuiltins\ngetattr\n\x8c\x02os\x8c\x06system\x86R" + COMMAND + b"R.",
    "dotted name": b"\x80\x04\x8c\x05numpy\x8c\x10os.system.__call\x93" + COMMAND + b"R.",
    "inst": b"(S'touch flag'\nios\nsystem\n.",
    "obj": b"(cos\nsystem\nS'touch flag'\no.",
    "newobj": b"\x80\x04" + SYSTEM + COMMAND + b"\x81.",
    "newobj_ex": b"\x80\x04" + SYSTEM + COMMAND + b"}\x92.",
    "build": b"\x80\x04cbuiltins\nobject\n)\x81}\x8c\x0c__setstate__cos\nsystem\nsb\x8c\x0atouch flagb.",
    "build on a list": b"\x80\x04]}b.",
    "ext1": b"\x80\x02\x82\x01.",
    "ext2": b"\x80\x02\x83\x01\0.",
    "ext4": b"\x80\x02\x84\x01\0\0\0.",
    "persistent id": b"Pos.system\n.",
    "binary persistent id": b"\x80\x04\x8c\x01xQ.",
    "next buffer": b"\x80\x05\x97.",
    "byte array": b"\x80\x05\x96\x01\0\0\0\0\0\0\0x.",
    "a call of dtype": b"\x80\x04cnumpy\ndtype\n(cos\nsystem\ntR.",
    "a call of the wrapper": b"\x80\x04cjoblib.numpy_pickle\nNumpyArrayWrapper\n)R.",
    "an object of ndarray": b"\x80\x04cnumpy\nndarray\n)\x81.",
    "no stack": b"\x80\x04R.",
    "no mark": b"\x80\x04]e.",
    "memo never made": b"\x80\x04h\x07.",
    "several objects": b"\x80\x04]].",
    "nothing": b".",
    "a mark left": b"\x80\x04(.",
    "a name left": b"\x80\x04cnumpy\nndarray\n.",
    "no protocol": b"}.",
}


def doubled(times=60):
    """Tuple of twice the tuple before, each memoised."""
    return b")" + b"".join(b"\x94h%c\x86" % i for i in range(times))


HEAD = b"\x80\x04cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}("
DTYPE = b"cnumpy\ndtype\n\x8c\x02f8\x89\x88\x87R(K\x03\x8c\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"


def array(shape, dtype=DTYPE):
    """A joblib array with this shape and nothing behind it."""
    state = b"\x8c\x08subclasscnumpy\nndarray\n\x8c\x05shape" + shape + b"\x8c\x05order\x8c\x01C"
    return HEAD + state + b"\x8c\x05dtype" + dtype + b"\x8c\x1bnumpy_array_alignment_bytesNub."


HUGE = b"\x8a\xff" + b"\x7f" * 255  # a whole number of 2040 bits
BOMBS = {
    "an element type that nests": HEAD + b"\x8c\x05dtypecnumpy\ndtype\n" + doubled() + b"\x85R.",
    "a byte order that nests": array(b")", b"cnumpy\ndtype\n\x8c\x02f8\x85R(K\x03" + doubled() + b"tb"),
    "a shape that nests": array(doubled() + b"\x85"),
    "a name that nests": b"\x80\x04" + doubled() + b"\x8c\x01x\x93.",
    "a key that nests": b"\x80\x04}" + doubled() + b"Ns.",
    "a tree that nests": b"\x80\x04" + doubled() + b".",
    "a shape of a thousand sizes": array(b"(" + HUGE * 1000 + b"t"),
    "a shape of huge sizes": array(HUGE + HUGE + b"\x86"),
    "an array of 100 GB": array(b"\x8a\x05" + (10**11 // 8).to_bytes(5, "little") + b"\x85"),
    "noughts and a huge size": array(b"K\0" + HUGE + b"\x86"),
    "a negative size": array(b"J\xff\xff\xff\xff\x85"),
    "a size that is true": array(b"\x88\x85"),
    "a number of a megabyte": b"\x80\x04\x8b\0\0\x10\0" + b"\x7f" * 2**20 + b".",
    "a string of 4 GB": b"\x80\x04X\xff\xff\xff\xffx.",
    "a string of 2**63 bytes": b"\x80\x04\x8d" + b"\xff" * 7 + b"\x7fx.",
    "a frame of 2**63 bytes": b"\x80\x04\x95" + b"\xff" * 7 + b"\x7f}.",
    "one text in a million places": b"\x80\x04X\0\0\x10\0"
    + b"x" * 2**20
    + b"\x940]("
    + b"h\0" * 10**5
    + b"e.",
    "ten thousand lists in lists": b"\x80\x04" + b"]" * 10**4 + b"a" * (10**4 - 1) + b".",
    "a million empty dicts": b"\x80\x04](" + b"}" * 999_990 + b"e.",
    "a million marks": b"\x80\x04" + b"(" * 999_990 + b".",
    "a list that holds itself": b"\x80\x04]\x94h\0a.",
    "a dict that holds itself": b"\x80\x04}\x94\x8c\x01xh\0s.",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_refused_by_the_command_line_in_one_line(tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    Path("hostile.joblib").write_bytes(zlib.compress(PROGRAMS[name]))
    assert main(["info", "hostile.joblib"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("ghostbuster: error: hostile.joblib ")
    assert err.count("\n") == 1
    assert not Path("flag").exists()


def test_the_programs_are_programs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pickle.loads(PROGRAMS["reduce"])
    assert Path("flag").exists()


def test_bombs_are_refused_within_a_gigabyte_and_a_minute_of_the_cpu(tmp_path):
    for i, content in enumerate(BOMBS.values()):
        (tmp_path / f"{i}.joblib").write_bytes(zlib.compress(content, 1))
    engine = zlib.compressobj(9)
    with (tmp_path / "zeros.joblib").open("wb") as stream:  # unpacks to 10 GB
        piece = bytes(2**24)
        stream.write(b"".join([engine.compress(piece) for _ in range(16)]))
        stream.write(engine.compress(piece[: 2**20]) + engine.flush())
    code = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
from ghostbuster.detector.artifact import open_artifact
from ghostbuster.errors import ArtifactError
for path in sorted(Path(sys.argv[1]).glob("*.joblib")):
    try:
        open_artifact(path)
    except ArtifactError as error:
        print(path.stem, len(str(error)), "\\n" in str(error))
"""
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout[-200:], done.stderr[-2000:])
    lines = [line.split() for line in done.stdout.splitlines()]
    assert {name for name, _, _ in lines} == {*map(str, range(len(BOMBS))), "zeros"}
    assert all(int(length) < 500 + len(str(tmp_path)) and broken == "False" for _, length, broken in lines)


def small_content():
    handle = io.BytesIO()
    state = {"a": [1, 2.5, "x"], "b": np.arange(3), "c": None}
    joblib.dump({"schema": 1, "manifest": {"made": "now"}, "state": state}, handle)
    return handle.getvalue()


PACKINGS = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE),
    "lz4": lambda data: b"\x04\x22M\x18" + data,
}


@pytest.mark.parametrize("name", PACKINGS)
def test_other_packings_that_joblib_would_undo_are_refused_by_name(tmp_path, name):
    path = tmp_path / "x.joblib"
    path.write_bytes(PACKINGS[name](small_content()))
    with pytest.raises(ArtifactError, match=f"is packed by {name}, which no detector is"):
        open_artifact(path)


def test_packed_twice_or_not_at_all_is_refused(tmp_path):
    path = tmp_path / "x.joblib"
    path.write_bytes(small_content())
    with pytest.raises(ArtifactError, match="is no detector, or damaged"):
        open_artifact(path)
    path.write_bytes(zlib.compress(zlib.compress(small_content())))
    with pytest.raises(ArtifactError, match=r"damaged|holds"):
        open_artifact(path)


def test_any_bit_flipped_in_a_file_is_noticed_or_changes_nothing(tmp_path):
    whole = zlib.compress(small_content(), 6)
    path = tmp_path / "x.joblib"
    path.write_bytes(whole)
    sound = repr(open_artifact(path).state)
    for place in range(8 * len(whole)):
        raw = bytearray(whole)
        raw[place // 8] ^= 1 << place % 8
        path.write_bytes(raw)
        try:
            assert repr(open_artifact(path).state) == sound
        except ArtifactError as error:
            assert "\n" not in str(error)  # noqa: PT017 - most flips raise, none may raise anything else


def test_any_bit_flipped_in_what_a_file_unpacks_to_gives_plain_data_or_one_line():
    whole = small_content()
    refused = 0
    for place in range(8 * len(whole)):
        raw = bytearray(whole)
        raw[place // 8] ^= 1 << place % 8
        try:
            parse(bytes(raw), Path("flipped.joblib"))
        except ArtifactError as error:
            refused += 1
            assert "\n" not in str(error)  # noqa: PT017 - as above
    assert refused > len(whole)


def test_a_name_that_would_steer_a_terminal_is_spelled_out():
    with pytest.raises(ArtifactError, match=r"holds \\x1b\[2Jx\.y") as caught:
        parse(b"\x80\x04c\x1b[2Jx\ny\n.", Path("x.joblib"))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("schema", "named"),
    [
        (0, "schema 0"),
        (2, "schema 2"),
        (-1, "schema -1"),
        ("1", "schema '1'"),
        (True, "schema of type bool"),
        (1.0, "schema of type float"),
        (10**400, "schema of type int"),
        ([1], "schema of type list"),
        (np.ones(2), "schema of type ndarray"),
        ("1\n" * 10**5, "schema '1"),
    ],
)
def test_any_other_schema_is_refused_by_name(tmp_path, schema, named):
    path = tmp_path / "x.joblib"
    joblib.dump({"schema": schema, "manifest": {}, "state": {}}, path, compress=("zlib", 1))
    with pytest.raises(ArtifactError, match=f"has {named}.*; this version of ghostbuster reads 1") as caught:
        open_artifact(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "value", [math.nan, -math.inf, 2**63, np.zeros(3), {"deep": [np.float64(1), np.ones(1)]}, [[math.inf]]]
)
def test_a_manifest_that_is_no_json_is_refused(tmp_path, value):
    path = tmp_path / "x.joblib"
    joblib.dump({"schema": 1, "manifest": {"data": value}, "state": {}}, path, compress=("zlib", 1))
    with pytest.raises(ArtifactError, match=r"holds more than words and numbers|holds numpy"):
        open_artifact(path)


def test_what_a_manifest_says_never_hides_what_is_known(tmp_path, capsys):
    path = tmp_path / "x.joblib"
    said = {"digest": "of another file", "artifact": "/safe", "parameters": 7, "\x1b[2J": "\x1b[31mred\nline"}
    joblib.dump({"schema": 1, "manifest": said, "state": {}}, path, compress=("zlib", 1))
    assert main(["info", str(path)]) == 0
    out = capsys.readouterr().out
    assert "of another file" not in out
    assert str(path) in out
    assert "\x1b" not in out


@pytest.fixture(scope="module")
def shipped():
    return open_artifact(LITE)


def changed(value, path, new):
    """``value`` with what stands at ``path`` replaced, or gone if ``new`` is Ellipsis."""
    if not path:
        return new
    inner = changed(value[path[0]], path[1:], new) if path[1:] else new
    if isinstance(value, dict):
        return {k: v for k, v in (value | {path[0]: inner}).items() if v is not ...}
    return [*value[: path[0]], inner, *value[path[0] + 1 :]]


WRONG = [
    ("params.head", "svm", "KeyError"),
    ("params.head", [], "parameter head is of type list"),
    ("params.min_tokens", 2.5, "parameter min_tokens is of type float"),
    ("params.min_tokens", -5, "parameter min_tokens is out of range"),
    ("params.min_tokens", True, "parameter min_tokens is of type bool"),
    ("params.max_fpr", None, "parameter max_fpr is of type NoneType"),
    ("params.panel", ["a"], "neither a name nor two files"),
    ("params.evil", 1, "no parameter 'evil' is known"),
    ("params", ..., "KeyError: 'params'"),
    ("features", [], "expected a list of 1 to"),
    ("features", ["a.b " * 10_000], "a feature is no text of at most 2000 characters"),
    ("features.0", "os.system now", "no reducer"),
    ("features.0", 7, "a feature is no text"),
    ("head.coef", np.full(100, np.nan), "head.coef holds something else than finite numbers"),
    ("head.coef", np.ones(99), r"coefficients \(99,\) for \(100,\) features"),
    ("head.baseline", 10**400, "OverflowError"),
    ("head.baseline", "nan", "head.baseline holds something else than finite numbers"),
    ("head.scaler.scale", np.zeros(100), "not positive"),
    ("head.scaler.mean", np.full(100, np.inf), "head.scaler.mean holds something else than finite"),
    ("lexicon.coef", np.ones(3), "terms and weights differ in number"),
    ("lexicon.idf", None, "terms and weights differ in number"),
    ("lexicon.baseline", math.inf, "lexicon.baseline holds something else than finite"),
    ("mix", [1.0, math.nan], "mix holds something else than finite"),
    ("mix", [1.0], "mix has shape"),
    ("calibration.slope", math.nan, "does not rise"),
    ("calibration.slope", math.inf, "calibration.line holds something else than finite"),
    ("calibration.knots", np.array([np.nan]), "calibration does not rise|calibration.knots"),
    ("thresholds", [], "there is no threshold"),
    ("thresholds.0.rate", 7.0, "threshold cannot be restored"),
    ("thresholds.0.probability", math.inf, "threshold holds something else than finite"),
    ("thresholds.0.fpr", 3.0, "a share that is not from 0 to 1"),
    ("thresholds.0.n_human", math.inf, "threshold cannot be restored"),
    ("familiarity.mean", np.ones(3), r"familiarity.mean has shape \(3,\) where \(100,\) was due"),
    ("familiarity.scale", np.zeros(100), "familiarity.scale holds a number that is not above 0"),
    ("familiarity.farthest", math.nan, "familiarity.limits holds something else than finite"),
    ("percentiles", np.zeros((0, 100), np.float32), r"percentiles has shape \(0, 100\)"),
    ("percentiles", np.zeros((101, 3), np.float32), r"percentiles has shape \(101, 3\)"),
    ("percentiles", np.linspace(1, 0, 200).reshape(2, 100), "percentiles do not rise"),
    ("percentiles", np.full((2, 100), "x"), "percentiles holds something else than finite"),
    ("classes", ["human"], "classes are no two names or numbers"),
    ("fingerprints", 3, "AttributeError"),
    ("manifest", 3, "TypeError"),
]


@pytest.mark.parametrize(("place", "value", "message"), WRONG)
def test_a_state_with_a_wrong_part_makes_no_detector(shipped, place, value, message):
    path = [int(step) if step.isdigit() else step for step in place.split(".")]
    broken = Artifact(shipped.path, shipped.digest, shipped.manifest, changed(shipped.state, path, value))
    with pytest.raises(ArtifactError, match=message) as caught:
        broken.classifier()
    assert str(LITE) in str(caught.value)
    assert len(str(caught.value)) < 600 + len(str(LITE))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("versions", [None, [], "0.1", {"ghostbuster": "\x1b[2J" * 1000}])
def test_a_manifest_without_versions_does_not_hide_the_reason(shipped, versions):
    broken = Artifact(shipped.path, shipped.digest, {"versions": versions}, {})
    with pytest.raises(ArtifactError, match=r"KeyError: 'params'.*train it again") as caught:
        broken.classifier()
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600 + len(str(LITE))


def test_what_a_promise_was_measured_on_cannot_steer_a_terminal(shipped):
    state = changed(shipped.state, ["thresholds", 0, "about"], "\x1b[2Jnobody\n" + "x" * 10_000)
    made = Artifact(shipped.path, shipped.digest, shipped.manifest, state).classifier()
    assert made.thresholds_[0].about.isprintable()
    assert len(made.thresholds_[0].about) < 300


def test_the_shipped_detector_is_within_every_limit(shipped):
    assert len(shipped.classifier().features_) == 100
    assert LITE.stat().st_size * 20 < artifact.MAX_BYTES


def test_a_few_mutated_files_are_judged_or_refused():
    command = [sys.executable, "-m", "benchmarks.fuzz.fuzz_artifact", "--inputs", "10", "--seed", "5"]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout, done.stderr)
