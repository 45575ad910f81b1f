import json
import math
import struct
import subprocess
import sys
from pathlib import Path

import gguf
import numpy as np
import pytest

from benchmarks.fuzz.gguf_parts import ARRAY, Value, put_together, take_apart
from ghostbuster.errors import ModelError
from ghostbuster.models.gguf.check import check_model
from ghostbuster.models.gguf.header import read_header
from ghostbuster.models.gguf.vocabulary import vocabulary_digest
from ghostbuster.models.llama.language_model import LlamaLM
from training.data.make_gguf import Shape, make_gguf, pieces

SHAPE = Shape()


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return make_gguf(tmp_path_factory.mktemp("gguf") / "sound.gguf", SHAPE)


@pytest.fixture
def damaged(sound, tmp_path):
    """Write the sound file with some bytes changed; returns its path."""

    def write(change):
        data = bytearray(sound.read_bytes())
        path = tmp_path / "damaged.gguf"
        path.write_bytes(change(data) or data)
        return path

    return write


def replaced(old, new, nth=0):
    """A change: the n-th occurrence of ``old`` becomes ``new``, of the same length."""
    assert len(old) == len(new)

    def change(data):
        at = -1
        for _ in range(nth + 1):
            at = data.index(old, at + 1)
        data[at : at + len(old)] = new

    return change


def after(key, offset, raw):
    """A change: bytes at ``offset`` after ``key``."""

    def change(data):
        at = data.index(key) + len(key) + offset
        data[at : at + len(raw)] = raw

    return change


def test_the_header_says_what_the_gguf_package_reads(tmp_path):
    sound = make_gguf(tmp_path / "merges.gguf", Shape(merges=5))
    header, reader = read_header(sound), gguf.GGUFReader(sound)
    assert list(header.tensors) == [tensor.name for tensor in reader.tensors]
    assert header.n_parameters == sum(int(tensor.n_elements) for tensor in reader.tensors)
    for tensor in reader.tensors:
        mine = header.tensors[tensor.name]
        assert mine.dimensions == tuple(int(n) for n in tensor.shape)
        assert mine.n_bytes == int(tensor.n_bytes)
    fields = [name for name in reader.fields if not name.startswith("GGUF.")]
    assert list(header.metadata) == fields
    np.testing.assert_allclose(
        header.metadata["tokenizer.ggml.scores"], reader.fields["tokenizer.ggml.scores"].contents()
    )
    names = ("tokenizer.ggml.tokens", "tokenizer.ggml.merges")
    for name in names:
        assert [one.decode() for one in header.metadata[name]] == reader.fields[name].contents()
    assert header.metadata["general.architecture"] == b"llama"


def test_the_card_of_a_model(sound):
    file = check_model(sound)
    assert (file.architecture, file.context, file.n_vocabulary) == ("llama", 64, 512)
    assert file.quantisation == "F16"
    block = 32 * 32 * 2 + 32 * 16 * 2 + 3 * 32 * 64 + 2 * 32
    assert file.n_parameters == 2 * 512 * 32 + 2 * block + 32
    assert file.tokenizer == vocabulary_digest(*pieces(512))


def test_another_vocabulary_has_another_digest(sound, tmp_path):
    other = check_model(make_gguf(tmp_path / "other.gguf", Shape(vocabulary=513)))
    assert other.tokenizer != check_model(sound).tokenizer


def test_merges_make_no_other_sentencepiece_vocabulary_but_another_byte_level_one(sound, tmp_path):
    same = check_model(make_gguf(tmp_path / "merges.gguf", Shape(merges=5)))
    assert "tokenizer.ggml.merges" in read_header(same.path).metadata
    assert same.tokenizer == check_model(sound).tokenizer
    bpe = check_model(make_gguf(tmp_path / "bpe.gguf", Shape(tokenizer="gpt2")))
    header = read_header(bpe.path)
    types = list(header.metadata["tokenizer.ggml.token_type"])
    assert bpe.tokenizer != vocabulary_digest(list(header.metadata["tokenizer.ggml.tokens"]), [], types)


@pytest.mark.parametrize("quantisation", ["F32", "BF16", "Q8_0"])
def test_quantisations_are_told(tmp_path, quantisation):
    path = make_gguf(tmp_path / "q.gguf", Shape(quantisation=quantisation))
    assert check_model(path).quantisation == quantisation


def test_a_missing_file(tmp_path):
    with pytest.raises(
        ModelError, match=r"nowhere\.gguf: no such file; expected a GGUF model: check the path"
    ):
        check_model(tmp_path / "nowhere.gguf")


def test_a_directory(tmp_path):
    with pytest.raises(
        ModelError, match=r"not a regular file; expected a GGUF model: name the \.gguf file itself"
    ):
        check_model(tmp_path)


@pytest.mark.parametrize("data", [b"", b"GG", b"PK\x03\x04 a zip", b"\x00" * 100])
def test_a_file_that_is_no_gguf(tmp_path, data):
    (tmp_path / "x.gguf").write_bytes(data)
    with pytest.raises(ModelError, match="not a GGUF file; expected one that begins with 'GGUF'"):
        check_model(tmp_path / "x.gguf")


def test_a_file_that_cannot_be_read(sound, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(ModelError, match=r"cannot be read \(Permission denied\)"):
        read_header(sound)


@pytest.mark.parametrize("share", [0.001, 0.05, 0.1, 0.3, 0.6, 0.999])
def test_a_file_cut_short(damaged, share):
    path = damaged(lambda data: data[: int(len(data) * share)])
    with pytest.raises(ModelError, match=r"damaged GGUF file, cut short.*expected a whole one: get it again"):
        check_model(path)


HUGE = struct.pack("<Q", 2**60)
CHANGES = {
    "version": (after(b"GGUF", 0, struct.pack("<I", 9)), "format version 9"),
    "big endian": (after(b"GGUF", 0, struct.pack(">I", 3)), "format version 50331648"),
    "tensors": (after(b"GGUF", 4, HUGE), "1152921504606846976 tensors"),
    "no tensors": (after(b"GGUF", 4, bytes(8)), "0 tensors"),
    "keys": (after(b"GGUF", 12, HUGE), "1152921504606846976 metadata keys"),
    "string": (after(b"GGUF", 20, HUGE), "a string of 1152921504606846976 bytes"),
    "value type": (after(b"general.architecture", 0, struct.pack("<I", 77)), "unknown value type 77"),
    "strings": (after(b"tokenizer.ggml.tokens", 8, HUGE), "an array of 1152921504606846976 strings"),
    "a string in an array": (
        after(b"tokenizer.ggml.tokens", 16, HUGE),
        "a string of 1152921504606846976 bytes",
    ),
    "a string past the end": (
        after(b"tokenizer.ggml.tokens", 16, struct.pack("<Q", 1 << 23)),
        "cut short at byte",
    ),
    "strings past the end": (
        after(b"tokenizer.ggml.tokens", 8, struct.pack("<Q", 9_000)),
        "a string of [0-9]+ bytes|cut short at byte",
    ),
    "numbers": (after(b"tokenizer.ggml.scores", 8, HUGE), "cut short"),
    "name": (replaced(b"general.architecture", b"general.architectur\xff"), "not UTF-8"),
    "dimensions": (
        after(b"token_embd.weight", 0, struct.pack("<I", 9)),
        "token_embd.weight with 9 dimensions",
    ),
    "size": (after(b"token_embd.weight", 4, HUGE), "cut short: tensor token_embd.weight"),
    "zero": (after(b"token_embd.weight", 4, bytes(8)), "token_embd.weight of dimensions"),
    "type": (
        after(b"token_embd.weight", 20, struct.pack("<I", 200)),
        "token_embd.weight of unknown type 200",
    ),
    "offset": (after(b"blk.0.attn_q.weight", 24, struct.pack("<Q", 7)), "blk.0.attn_q.weight at offset 7"),
    "a key twice": (
        replaced(b"llama.rope.dimension_count", b"llama.attention.head_count"),
        "metadata key llama.attention.head_count twice",
    ),
    "same tensor": (replaced(b"blk.1.attn_q", b"blk.0.attn_q"), "tensor blk.0.attn_q.weight twice"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_malformed_header(damaged, name):
    change, message = CHANGES[name]
    with pytest.raises(ModelError, match=message):
        check_model(damaged(change))


def test_an_alignment_that_is_no_power_of_two(damaged):
    def change(data):
        after(b"llama.block_count", 4, struct.pack("<I", 3))(data)
        replaced(b"llama.block_count", b"general.alignment")(data)

    with pytest.raises(ModelError, match="damaged GGUF file, alignment 3"):
        check_model(damaged(change))


def number(value):
    return struct.pack("<I", value)


UNUSABLE = {
    "architecture": (
        replaced(b"\x05\0\0\0\0\0\0\0llama", b"\x05\0\0\0\0\0\0\0bertx"),
        "architecture 'bertx'",
    ),
    "heads": (
        after(b"attention.head_count", 4, number(0)),
        r"head_count is 0; expected a whole number from 1",
    ),
    "uneven": (after(b"attention.head_count", 4, number(5)), "5 heads, 2 key-value heads, width 32"),
    "kv heads": (after(b"attention.head_count_kv", 4, number(3)), "4 heads, 3 key-value heads"),
    "context": (replaced(b"llama.context_length", b"llama.context_lengxx"), "context_length is missing"),
    "layers": (after(b"llama.block_count", 4, number(2**31)), "block_count is 2147483648"),
    "tokenizer": (
        replaced(b"\x05\0\0\0\0\0\0\0llama", b"\x05\0\0\0\0\0\0\0bertx", nth=1),
        "tokenizer 'bertx'",
    ),
    "no pieces": (
        replaced(b"tokenizer.ggml.tokens", b"tokenizer.ggml.tokenx"),
        "a vocabulary with no pieces",
    ),
    "twice": (replaced(b"<0x41>", b"<0x42>"), "a piece that occurs twice"),
    "begin": (after(b"tokenizer.ggml.bos_token_id", 4, number(512)), "bos token 512 outside its 512 pieces"),
    "bytes": (replaced(number(6) * 3, number(6) * 2 + number(1)), "255 byte pieces where 256"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_model_that_llama_cpp_must_not_see(damaged, name):
    change, message = UNUSABLE[name]
    with pytest.raises(ModelError, match=message):
        check_model(damaged(change))


def test_a_vocabulary_without_begin_and_end(damaged):
    def change(data):
        replaced(b"bos_token_id", b"bxs_token_id")(data)
        replaced(b"eos_token_id", b"exs_token_id")(data)

    with pytest.raises(ModelError, match="a vocabulary with neither a begin nor an end token"):
        check_model(damaged(change))


def test_without_a_begin_token_the_end_token_takes_its_place(damaged):
    assert check_model(damaged(replaced(b"bos_token_id", b"bxs_token_id"))).begin == 2


def test_embeddings_of_another_number_than_pieces(damaged):
    # 512 pieces by 32 -> 256 by 64: as many bytes, no model of this vocabulary
    change = after(b"token_embd.weight", 4, struct.pack("<QQ", 64, 256))
    with pytest.raises(ModelError, match="512 pieces but another number of embeddings"):
        check_model(damaged(change))


def test_what_passes_the_checks_and_llama_cpp_refuses_is_one_line(damaged):
    path = damaged(replaced(b"blk.1.attn_q.weight", b"blk.1.attn_z.weight"))
    reason = r"llama.cpp cannot load it \(.*blk.1.attn_q.weight.*expected a model"
    with pytest.raises(ModelError, match=reason) as caught:
        LlamaLM(path, "weak")
    assert "\n" not in str(caught.value)


def test_mutated_files_end_no_process():
    command = [sys.executable, "-m", "benchmarks.fuzz.fuzz_gguf", "--inputs", "60", "--seed", "7"]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout, done.stderr)
    tally = json.loads(done.stdout.splitlines()[-1])
    assert tally["refused by the checks"] > 15
    assert tally["scored"] > 5


def test_the_mutations_begin_with_the_file_as_it_is(sound):
    assert put_together(take_apart(sound)) == sound.read_bytes()


@pytest.mark.parametrize("raw", [b"\0\x7e", b"\0\x7c", b"\0\xfc"], ids=["nan", "inf", "-inf"])
def test_weights_that_are_no_numbers_are_refused_when_a_text_is_scored(sound, tmp_path, raw):
    file = take_apart(sound)
    tensor = dict(file.tensors)[b"blk.0.ffn_down.weight"]
    tensor.data = raw * (len(tensor.data) // 2)
    path = tmp_path / "nan.gguf"
    path.write_bytes(put_together(file))
    with pytest.raises(ModelError, match="gave logits that are not finite numbers; expected a sound model"):
        LlamaLM(path, "weak").score(["a text"])


def with_value(path, key, value):
    """The file with a metadata value replaced or added."""
    file = take_apart(path)
    file.metadata = [(name, old) for name, old in file.metadata if name != key] + [(key, value)]
    return put_together(file)


FATAL = {
    "layers": (
        b"llama.block_count",
        Value(4, 513),
        "block_count is 513; expected a whole number from 1 to 512",
    ),
    "layers one by one": (b"llama.block_count", Value(ARRAY, [2, 2], 4), r"block_count is \(2, 2\)"),
    "epsilon": (
        b"llama.attention.layer_norm_rms_epsilon",
        Value(6, -1.0),
        "epsilon is -1.0; expected a number",
    ),
    "epsilon nan": (b"llama.attention.layer_norm_rms_epsilon", Value(6, math.nan), "epsilon is nan"),
    "epsilon inf": (b"llama.attention.layer_norm_epsilon", Value(6, math.inf), "epsilon is inf"),
    "epsilon text": (b"llama.attention.layer_norm_epsilon", Value(8, b"0"), "epsilon is b'0'"),
    "unknown rope scaling": (
        b"llama.rope.scaling.type",
        Value(8, b"odd"),
        "rope.scaling.type is .*odd.*; expected one of none, linear, yarn, longrope",
    ),
    "experts unused": (b"llama.expert_count", Value(4, 8), "expert_count is 8 and expert_used_count 0"),
    "no experts used": (b"llama.expert_used_count", Value(4, 2), "expert_count is 0 and expert_used_count 2"),
    "rotary": (b"llama.rope.dimension_count", Value(4, 5), "is 5; expected 8, the width of a head"),
    "no rotary": (
        b"llama.rope.dimension_count",
        Value(4, 0),
        "dimension_count is 0; expected a whole number",
    ),
    "key width": (b"llama.attention.key_length", Value(4, 4), "is 8; expected 4, the width of a head"),
    "split": (
        b"split.count",
        Value(2, 3),
        "one of 3 parts of a model; expected a whole one: merge them with",
    ),
    "odd split": (b"split.count", Value(8, b"two"), "one of b'two' parts of a model"),
    "alignment": (b"general.alignment", Value(4, 16), "damaged GGUF file, alignment 16"),
}


@pytest.mark.parametrize("name", FATAL)
def test_what_would_end_the_process_is_refused(sound, tmp_path, name):
    key, value, message = FATAL[name]
    path = tmp_path / "x.gguf"
    path.write_bytes(with_value(sound, key, value))
    with pytest.raises(ModelError, match=message):
        check_model(path)


def test_the_only_part_of_a_model_is_a_whole_one(sound, tmp_path):
    (tmp_path / "x.gguf").write_bytes(with_value(sound, b"split.count", Value(2, 1)))
    assert check_model(tmp_path / "x.gguf").n_vocabulary == check_model(sound).n_vocabulary


def test_a_later_part_that_names_no_architecture_is_refused_as_a_part(sound, tmp_path):
    file = take_apart(sound)
    file.metadata = [(b"split.no", Value(2, 1)), (b"split.count", Value(2, 2))]
    (tmp_path / "model-00002-of-00002.gguf").write_bytes(put_together(file))
    with pytest.raises(ModelError, match="one of 2 parts of a model"):
        check_model(tmp_path / "model-00002-of-00002.gguf")


def test_a_norm_that_is_not_f32_is_refused(sound, tmp_path):
    file = take_apart(sound)
    tensor = dict(file.tensors)[b"blk.0.attn_norm.weight"]
    tensor.kind, tensor.data = 1, tensor.data[::2]
    (tmp_path / "x.gguf").write_bytes(put_together(file))
    with pytest.raises(ModelError, match=r"attn_norm\.weight is a vector of type F16; expected F32"):
        check_model(tmp_path / "x.gguf")


@pytest.mark.parametrize("piece", [b"<0x4>", b"", b"A", b"<0x4g>", b"<0x4a>"])
def test_a_byte_piece_that_spells_no_byte_is_refused(sound, tmp_path, piece):
    file = take_apart(sound)
    pieces_there = file.find("tokenizer.ggml.tokens").data
    pieces_there[pieces_there.index(b"<0x4A>")] = piece
    (tmp_path / "x.gguf").write_bytes(put_together(file))
    with pytest.raises(ModelError, match=r"a byte piece|occurs twice"):
        check_model(tmp_path / "x.gguf")
