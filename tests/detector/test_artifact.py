import contextlib
import io
import math
import os
import pickle
import subprocess
import sys
import zlib
from pathlib import Path
from types import SimpleNamespace

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ghostbuster.detector import artifact
from ghostbuster.detector.artifact import open_artifact, save
from ghostbuster.detector.safe_joblib import MAX_DEPTH, parse
from ghostbuster.errors import ArtifactError

NUMBERS = st.one_of(
    st.booleans(), st.none(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False), st.text(max_size=300)
)
ARRAYS = st.sampled_from(["?", "i1", "<i4", ">i8", "u2", "f2", "<f4", ">f8"]).flatmap(
    lambda dtype: arrays(dtype, st.lists(st.integers(0, 4), max_size=3).map(tuple))
)
PLAIN = st.recursive(
    st.one_of(NUMBERS, ARRAYS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.tuples(inner, inner), st.dictionaries(st.text(max_size=5), inner)
    ),
    max_leaves=12,
)


def detector_with(state, manifest=None):
    return SimpleNamespace(state=lambda: state, manifest_=manifest or {"versions": {"ghostbuster": "0.1.0"}})


def same(a, b):
    """Equal values of equal types; arrays also in shape and bytes of their native form."""
    if isinstance(a, np.ndarray):
        native = a.astype(a.dtype.newbyteorder("="))
        return b.dtype == native.dtype and b.shape == a.shape and b.tobytes() == native.tobytes()
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def write(path, value, **options):
    """What a stranger's own ``joblib.dump`` leaves."""
    joblib.dump(value, path, **{"compress": ("zlib", 1), **options})
    return path


class Calls:
    """Pickles as a call of any function with any arguments."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.fixture
def made(tmp_path):
    path = tmp_path / "detector.joblib"
    save(detector_with({"weights": np.arange(6.0), "names": ["a", "b"]}), path)
    return path


@given(state=st.dictionaries(st.text(max_size=5), PLAIN, max_size=4))
def test_whatever_plain_state_is_saved_comes_back_the_same(tmp_path_factory, state):
    path = tmp_path_factory.mktemp("artifact") / "any.joblib"
    save(detector_with(state), path)
    assert same(state, open_artifact(path).state)


def test_joblib_itself_reads_the_file_too(made):
    content = joblib.load(made)
    assert content["schema"] == 1
    assert content["state"]["weights"].tolist() == [0, 1, 2, 3, 4, 5]


def test_fortran_order_and_views_keep_their_values(tmp_path):
    matrix = np.arange(12.0).reshape(3, 4)
    state = {"fortran": np.asfortranarray(matrix), "view": matrix[::2, 1:], "scalar": np.float64(0.1)}
    write(tmp_path / "x.joblib", {"schema": 1, "manifest": {}, "state": {"fortran": state["fortran"]}})
    assert np.array_equal(open_artifact(tmp_path / "x.joblib").state["fortran"], matrix)
    save(detector_with(state), tmp_path / "y.joblib")
    read = open_artifact(tmp_path / "y.joblib").state
    assert np.array_equal(read["fortran"], matrix)
    assert np.array_equal(read["view"], matrix[::2, 1:])
    assert read["scalar"] == 0.1


def test_equal_detectors_make_equal_files(tmp_path):
    built = "weak!"[:4]  # equal to "weak", yet another object
    save(detector_with({"a": "weak", "b": "weak"}), tmp_path / "one.joblib")
    save(detector_with({"a": "weak", "b": built}), tmp_path / "two.joblib")
    assert (tmp_path / "one.joblib").read_bytes() == (tmp_path / "two.joblib").read_bytes()


def test_the_identity_names_file_and_digest(made):
    import hashlib

    digest = hashlib.sha256(made.read_bytes()).hexdigest()
    assert open_artifact(made).identity == f"detector@{digest[:12]}"


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (Calls(os.system, "touch {flag}"), "system"),
        (Calls(eval, "open('{flag}', 'w')"), "builtins.eval"),
        (Calls(getattr, Path("/"), "exists"), "builtins.getattr"),
        (Calls(subprocess.check_call, ["touch", "{flag}"]), "subprocess.check_call"),
        (np.array([Path("/")], dtype=object), "'O8'"),
        (np.array(["a", "bc"]), "'U2'"),
        (np.zeros(2, dtype=[("a", "f8")]), "'V8'"),
        (np.zeros(2, dtype="datetime64[s]"), "'M8'"),
        (np.float64(1), "scalar"),
        (SimpleNamespace(a=1), "types.SimpleNamespace"),
        (len, "builtins.len"),
        (np.ndarray, "array without its numbers"),
        (b"bytes", "BYTES"),
        ({1, 2}, "SET"),
        ({1: 2}, "key of type int"),
        (frozenset({1}), "FROZENSET"),
        (1 + 2j, "complex"),
    ],
    ids=lambda v: v if isinstance(v, str) else type(v).__name__,
)
def test_a_file_with_more_than_plain_data_is_refused_by_name_and_not_run(tmp_path, value, named):
    flag = tmp_path / "flag"
    if isinstance(value, Calls):
        function, arguments = value.call
        fill = lambda a: a.replace("{flag}", str(flag)) if isinstance(a, str) else a  # noqa: E731
        value = Calls(function, *[[*map(fill, a)] if isinstance(a, list) else fill(a) for a in arguments])
    path = write(tmp_path / "hostile.joblib", {"schema": 1, "manifest": {}, "state": {"x": value}})
    with pytest.raises(ArtifactError, match=named):
        open_artifact(path)
    assert not flag.exists()


@pytest.mark.parametrize("protocol", range(6))
def test_a_program_in_any_pickle_protocol_is_refused(tmp_path, protocol):
    flag = tmp_path / "flag"
    content = pickle.dumps(Calls(os.system, f"touch {flag}"), protocol)
    with pytest.raises(ArtifactError, match="Nothing of it was run"):
        parse(content, Path("hostile.joblib"))
    assert not flag.exists()


def test_old_style_instances_and_extensions_are_refused():
    for content in (b"(S'true'\nios\nsystem\n.", b"\x80\x04\x82\x01.", b"\x80\x04\x8c\x01xQ.", b"P1\n."):
        with pytest.raises(ArtifactError, match="holds"):
            parse(content, Path("hostile.joblib"))


def test_a_list_that_holds_itself_is_refused(tmp_path):
    endless = []
    endless.append(endless)
    path = write(tmp_path / "x.joblib", {"schema": 1, "manifest": {}, "state": {"x": endless}})
    with pytest.raises(ArtifactError, match="holds itself"):
        open_artifact(path)


def test_a_small_file_that_describes_a_huge_tree_is_refused(tmp_path):
    tree = ["x"]
    for _ in range(60):
        tree = [tree, tree]
    path = write(tmp_path / "x.joblib", {"schema": 1, "manifest": {}, "state": {"x": tree}})
    with pytest.raises(ArtifactError, match="stands in two places"):
        open_artifact(path)


def test_deep_nesting_is_refused(tmp_path):
    content = b"\x80\x04" + b"]" * 50_000 + b"a" * 49_999 + b"."
    (tmp_path / "x.joblib").write_bytes(zlib.compress(content))
    with pytest.raises(ArtifactError, match="nests too deeply"):
        open_artifact(tmp_path / "x.joblib")


def test_too_many_instructions_are_refused(tmp_path):
    (tmp_path / "x.joblib").write_bytes(zlib.compress(b"\x80\x04" + b"]" * 2_000_000 + b"."))
    with pytest.raises(ArtifactError, match="over 1000000 instructions"):
        open_artifact(tmp_path / "x.joblib")


def test_a_file_that_unpacks_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(artifact, "MAX_BYTES", 2**20)
    (tmp_path / "x.joblib").write_bytes(zlib.compress(bytes(2**21)))
    with pytest.raises(ArtifactError, match="unpacks to more than 1048576 bytes"):
        open_artifact(tmp_path / "x.joblib")


def test_a_file_too_large_to_be_a_detector_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(artifact, "MAX_BYTES", 100)
    (tmp_path / "x.joblib").write_bytes(bytes(101))
    with pytest.raises(ArtifactError, match="101 bytes, more than any detector"):
        open_artifact(tmp_path / "x.joblib")


@pytest.mark.parametrize("shape", [(10**11,), (2**40, 2**40), (3, 10**9)])
def test_an_array_announced_larger_than_its_file_is_refused_before_memory_is_taken(tmp_path, shape):
    content = zlib.decompress(write(tmp_path / "x.joblib", {"x": np.zeros(3)}).read_bytes())
    tuples = {1: b"\x85", 2: b"\x86"}
    honest = b"\x8c\x05shape\x94K\x03\x85"
    assert honest in content
    sizes = b"".join(b"\x8a\x08" + n.to_bytes(8, "little") for n in shape)
    with pytest.raises(ArtifactError, match="an array larger than the file"):
        parse(content.replace(honest, b"\x8c\x05shape\x94" + sizes + tuples[len(shape)]), Path("x.joblib"))


def test_a_negative_array_size_is_refused(tmp_path):
    content = zlib.decompress(write(tmp_path / "x.joblib", {"x": np.zeros(3)}).read_bytes())
    with pytest.raises(ArtifactError, match="damaged"):
        parse(content.replace(b"shape\x94K\x03\x85", b"shape\x94J\xff\xff\xff\xff\x85"), Path("x.joblib"))


def test_a_file_cut_at_any_byte_is_refused(made, tmp_path):
    whole = made.read_bytes()
    path = tmp_path / "cut.joblib"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ArtifactError, match="cut short"):
            open_artifact(path)


def test_content_cut_at_any_byte_is_refused(made):
    whole = zlib.decompress(made.read_bytes())
    for length in range(len(whole)):
        with pytest.raises(ArtifactError, match=r"damaged|can hold|holds"):
            parse(whole[:length], Path("cut.joblib"))


@given(position=st.integers(0, 10**6), byte=st.integers(0, 255))
def test_any_changed_byte_gives_plain_data_or_an_error_of_ours(position, byte):
    handle = io.BytesIO()
    joblib.dump({"a": [1, 2.5, "x"], "b": np.arange(3)}, handle)
    content = bytearray(handle.getvalue())
    content[position % len(content)] = byte
    with contextlib.suppress(ArtifactError):
        assert isinstance(parse(bytes(content), Path("changed.joblib")), dict)


def test_bytes_after_the_end_are_refused(made):
    made.write_bytes(made.read_bytes() + b"more")
    with pytest.raises(ArtifactError, match=r"goes on after its end \(4 bytes\)"):
        open_artifact(made)


def test_a_file_that_is_no_joblib_file_is_refused(tmp_path):
    path = tmp_path / "letter.joblib"
    path.write_text("Dear reader,")
    with pytest.raises(ArtifactError, match="is no detector, or damaged"):
        open_artifact(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(ArtifactError, match="does not exist"):
        open_artifact(tmp_path / "none.joblib")
    with pytest.raises(ArtifactError, match="no regular file"):
        open_artifact(tmp_path)


def test_a_joblib_file_of_something_else_is_refused(tmp_path):
    with pytest.raises(ArtifactError, match="a joblib file but no detector"):
        open_artifact(write(tmp_path / "x.joblib", [1, 2, 3]))
    with pytest.raises(ArtifactError, match="no manifest or state"):
        open_artifact(write(tmp_path / "x.joblib", {"schema": 1, "manifest": {}, "state": []}))


def test_another_schema_is_refused_by_its_number(tmp_path):
    path = write(tmp_path / "x.joblib", {"schema": 7, "manifest": {}, "state": {}})
    with pytest.raises(ArtifactError, match="has schema 7; this version of ghostbuster reads 1"):
        open_artifact(path)


def test_a_state_that_makes_no_detector_names_the_version_that_wrote_it(made):
    with pytest.raises(ArtifactError, match=r"made by ghostbuster 0\.1\.0: train it again"):
        artifact.load(made)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"a": {"b": [1, Path("/")]}}, r"state\.a\.b\[1\] of the detector is PosixPath"),
        ({"a": np.array([None])}, r"state\.a of the detector is an array of object"),
        ({"a": {1: 2}}, r"state\.a of the detector is dict"),
    ],
)
def test_a_detector_with_anything_else_is_not_saved(tmp_path, state, message):
    with pytest.raises(ArtifactError, match=message):
        save(detector_with(state), tmp_path / "x.joblib")
    assert list(tmp_path.iterdir()) == []


def test_saving_where_it_cannot_be_says_so(tmp_path):
    with pytest.raises(ArtifactError, match="is no folder: make it first"):
        save(detector_with({}), tmp_path / "none" / "x.joblib")
    with pytest.raises(ArtifactError, match="is a folder; expected the name of a file"):
        save(detector_with({}), tmp_path)


def test_a_failed_save_leaves_the_older_file(made, monkeypatch):
    before = made.read_bytes()

    def full(*_arguments, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(joblib, "dump", full)
    with pytest.raises(ArtifactError, match="No space left on device"):
        save(detector_with({}), made)
    assert made.read_bytes() == before
    assert [path.name for path in made.parent.iterdir()] == ["detector.joblib"]


def test_reading_an_artifact_needs_no_joblib(made):
    code = (
        "import sys; from ghostbuster.detector.artifact import open_artifact; "
        f"open_artifact({str(made)!r}); print([m for m in ('joblib', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_floats_come_back_to_the_last_bit(tmp_path):
    values = [math.nextafter(0.1, 1), 5e-324, -0.0, math.inf]
    save(detector_with({"a": values}), tmp_path / "x.joblib")
    read = open_artifact(tmp_path / "x.joblib").state["a"]
    assert [v.hex() for v in read] == [v.hex() for v in values]


def test_a_file_that_the_system_does_not_give_says_why(made, monkeypatch):
    def refused(self):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(ArtifactError, match=r"detector\.joblib cannot be read \(Permission denied\)"):
        open_artifact(made)


def test_a_folder_that_must_not_be_written_is_named_before_anything_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)  # the owner of the system may write everywhere
    with pytest.raises(ArtifactError, match=r"cannot be written to: choose another place for x\.joblib"):
        save(detector_with({}), tmp_path / "x.joblib")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"\x80\x04\x8c\x05numpy\x8c\x07ndarray\x93)\x81.", "an object of numpy.ndarray"),
        (b"\x80\x04K\x01)\x81.", "an object of an unknown class"),
        (b"\x80\x04\x8c\x05numpy\x8c\x07ndarray\x93)R.", "a call of numpy.ndarray"),
        (b"\x80\x04K\x01)R.", "a call of an unknown function"),
        (b"\x80\x04K\x01)b.", "a state for a value of type int"),
    ],
)
def test_a_class_of_arrays_used_for_anything_else_is_refused_by_its_name(content, named):
    with pytest.raises(ArtifactError, match=rf"^x\.joblib holds {named}; a detector file holds plain values"):
        parse(content, Path("x.joblib"))


def test_containers_nest_as_deep_as_the_limit_and_no_deeper():
    def nested(depth):
        value = "x"
        for _ in range(depth):
            value = [value]
        return pickle.dumps(value, 4)

    assert parse(nested(MAX_DEPTH), Path("x.joblib"))
    with pytest.raises(ArtifactError, match=r"holds a container that holds itself, .* nests too deeply"):
        parse(nested(MAX_DEPTH + 1), Path("x.joblib"))
