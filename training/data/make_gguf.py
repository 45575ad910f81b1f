r"""Write Llama-architecture GGUF files with random weights, of any shape; or quantise one anew.

The vocabulary is a small SentencePiece-like one (unknown, begin, end, 256 byte pieces, letters, then made-up
pieces), so every text has tokens. Speeds of such a file are those of a trained model of the same shape; its
log-probs mean nothing. Needs the ``gguf`` package.

    python training/data/make_gguf.py tiny.gguf --vocabulary 512 --width 32 --layers 2

llama.cpp can quantise the file further, to kinds that the ``gguf`` package cannot write. The shape of
TinyLlama-1.1B in two kinds:

    python training/data/make_gguf.py 1b.gguf --vocabulary 32000 --width 2048 --layers 22 --heads 32 \
        --kv-heads 4 --hidden 5632 --context 2048 --also Q8_0 Q4_K_M
"""

from __future__ import annotations

import argparse
import ctypes
import itertools
import os
import string
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np

BYTE_PIECES = 256
SPECIAL = (
    ("<unk>", gguf.TokenType.UNKNOWN),
    ("<s>", gguf.TokenType.CONTROL),
    ("</s>", gguf.TokenType.CONTROL),
)
FREQUENT = "the of and to in a is that for it was on with as be at by this had not are but from or have an"


@dataclass(frozen=True)
class Shape:
    """What decides a model's size and speed; the defaults load and score in milliseconds."""

    vocabulary: int = 512
    width: int = 32
    layers: int = 2
    heads: int = 4
    kv_heads: int = 2
    hidden: int = 64
    context: int = 64
    quantisation: str = "F16"
    tokenizer: str = "llama"
    seed: int = 0
    merges: int = 0  # some SentencePiece files carry merges, which nothing reads
    alike: int = 0  # 1: all layers have the first one's weights; a large file is made in seconds


def pieces(vocabulary: int) -> tuple[list[bytes], list[float], list[int]]:
    """Pieces, scores and types of a vocabulary of the wanted size; longer pieces are likelier."""
    made = [(text, 0.0, int(kind)) for text, kind in SPECIAL]
    made += [(f"<0x{byte:02X}>", 0.0, int(gguf.TokenType.BYTE)) for byte in range(BYTE_PIECES)]
    words = [f"▁{word}" for word in FREQUENT.split()]
    letters = ["▁", *string.ascii_letters, *string.digits, *string.punctuation, "é", "—"]
    starts = [f"▁{letter}" for letter in string.ascii_lowercase]
    # SPM joins two pieces only into a piece, so a word needs its own beginnings
    stems = [word[:end] for word in words for end in range(2, len(word))]
    grams = ("".join(pair) for n in (2, 3, 4) for pair in itertools.product(string.ascii_lowercase, repeat=n))
    seen = dict.fromkeys(itertools.chain(letters, starts, stems, words))
    normal = itertools.chain(seen, (gram for gram in grams if gram not in seen))
    for piece in itertools.islice(normal, vocabulary - len(made)):
        made.append((piece, -float(len(made)) / 10, int(gguf.TokenType.NORMAL)))
    if len(made) != vocabulary:
        raise SystemExit(
            f"cannot make {vocabulary} pieces; wanted {len(SPECIAL) + BYTE_PIECES + 1} to 450000"
        )
    return (
        [text.encode() for text, _, _ in made],
        [score for _, score, _ in made],
        [kind for _, _, kind in made],
    )


def make_gguf(path: str | Path, shape: Shape = Shape(), architecture: str = "llama") -> Path:
    """Write the file and return its path; the same shape gives the same bytes."""
    writer = gguf.GGUFWriter(str(path), architecture)
    _write_metadata(writer, shape)
    quantisation = gguf.GGMLQuantizationType[shape.quantisation]
    generator = np.random.default_rng(shape.seed)
    made: dict[str, np.ndarray] = {}
    for name, dimensions in _tensors(shape).items():
        if len(dimensions) == 1:
            writer.add_tensor(name, np.ones(dimensions, np.float32))
            continue
        short = name.split(".", 2)[2] if name.startswith("blk.") else name
        if shape.alike and short in made:
            writer.add_tensor(name, made[short], raw_dtype=quantisation)
            continue
        scale = 1.0 if name.startswith(("token_embd", "output")) else dimensions[-1] ** -0.5
        values = generator.standard_normal(dimensions, np.float32) * np.float32(scale)
        if name == "output.weight":
            values *= np.float32(3 * shape.width**-0.5)  # logits spread like a trained model's
        made[short] = gguf.quantize(values, quantisation)
        writer.add_tensor(name, made[short], raw_dtype=quantisation)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return Path(path)


def _write_metadata(writer: gguf.GGUFWriter, shape: Shape) -> None:
    """Architecture and tokenizer keys."""
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.hidden)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_file_type(
        gguf.LlamaFileType["ALL_F32" if shape.quantisation == "F32" else f"MOSTLY_{shape.quantisation}"]
    )
    writer.add_tokenizer_model(shape.tokenizer)
    if shape.tokenizer == "gpt2":
        _write_bpe(writer, shape)
    else:
        _write_sentencepiece(writer, shape)


def _write_sentencepiece(writer: gguf.GGUFWriter, shape: Shape) -> None:
    """Pieces with scores; a space before every text."""
    texts, scores, kinds = pieces(shape.vocabulary)
    writer.add_token_list(texts)
    writer.add_token_scores(scores)
    writer.add_token_types(kinds)
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(True)
    writer.add_add_space_prefix(True)
    if shape.merges:
        writer.add_token_merges([f"{a} {a}" for a in string.ascii_letters[: shape.merges]])


def _write_bpe(writer: gguf.GGUFWriter, shape: Shape) -> None:
    """Bytes and merges of two letters; an end token and no begin token, as GPT-2 has it."""
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, BYTE_PIECES)]
    hidden = [byte for byte in range(BYTE_PIECES) if byte not in visible]
    letters = [chr(byte) for byte in visible] + [chr(BYTE_PIECES + i) for i in range(len(hidden))]
    pairs = itertools.product(string.ascii_lowercase, repeat=2)
    merges = list(itertools.islice(pairs, shape.vocabulary - len(letters) - 1))
    normal = [*letters, *map("".join, merges)]
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(["<|endoftext|>", *normal])
    writer.add_token_types([int(gguf.TokenType.CONTROL)] + [int(gguf.TokenType.NORMAL)] * len(normal))
    writer.add_token_merges([" ".join(merge) for merge in merges])
    writer.add_eos_token_id(0)


def _tensors(shape: Shape) -> dict[str, tuple[int, ...]]:
    """Names and dimensions (outputs first, as numpy has them)."""
    kv_width = shape.width // shape.heads * shape.kv_heads
    tensors: dict[str, tuple[int, ...]] = {"token_embd.weight": (shape.vocabulary, shape.width)}
    for layer in range(shape.layers):
        block = {
            "attn_norm": (shape.width,),
            "attn_q": (shape.width, shape.width),
            "attn_k": (kv_width, shape.width),
            "attn_v": (kv_width, shape.width),
            "attn_output": (shape.width, shape.width),
            "ffn_norm": (shape.width,),
            "ffn_gate": (shape.hidden, shape.width),
            "ffn_up": (shape.hidden, shape.width),
            "ffn_down": (shape.width, shape.hidden),
        }
        tensors |= {f"blk.{layer}.{name}.weight": dimensions for name, dimensions in block.items()}
    return tensors | {"output_norm.weight": (shape.width,), "output.weight": (shape.vocabulary, shape.width)}


def requantise(path: Path, kind: str) -> Path:
    """Let llama.cpp write the file in another kind (``Q4_K_M``) beside it; its name gains the kind."""
    import llama_cpp

    settings = llama_cpp.llama_model_quantize_default_params()
    settings.ftype = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{kind}")
    made = path.with_name(f"{path.stem}-{kind.lower()}.gguf")
    if llama_cpp.llama_model_quantize(os.fsencode(path), os.fsencode(made), ctypes.byref(settings)):
        raise SystemExit(f"{path}: llama.cpp cannot quantise it to {kind}")
    return made


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", type=Path)
    parser.add_argument("--also", nargs="+", default=[], metavar="KIND", help="kinds that llama.cpp writes")
    for name, default in vars(Shape()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
    wanted = vars(parser.parse_args())
    kinds = wanted.pop("also")
    path = make_gguf(wanted.pop("path"), Shape(**wanted))
    for made in (path, *(requantise(path, kind) for kind in kinds)):
        print(made)


if __name__ == "__main__":
    main()
