"""Write a trained checkpoint as a GGUF file that llama.cpp reads.

python training/lm/export_gguf.py RUNS/embedded-weak/final.pt \
    --tokenizer RUNS/tokenizer/tokenizer.model --out ghostbuster/models/weights/embedded-weak.gguf
"""

import argparse
from pathlib import Path

import checkpoints
import gguf
import numpy as np
from model import Shape
from vocabulary import read_vocabulary

TYPES = {name: gguf.GGMLQuantizationType[name] for name in ("F16", "BF16", "Q8_0", "Q5_1")}
FILE_TYPES = {name: gguf.LlamaFileType[f"MOSTLY_{name}"] for name in TYPES}

# our name of a block's tensor: llama.cpp's
BLOCK = {
    "attention_norm.weight": "attn_norm.weight",
    "attention.q.weight": "attn_q.weight",
    "attention.k.weight": "attn_k.weight",
    "attention.v.weight": "attn_v.weight",
    "attention.out.weight": "attn_output.weight",
    "ffn_norm.weight": "ffn_norm.weight",
    "gate.weight": "ffn_gate.weight",
    "up.weight": "ffn_up.weight",
    "down.weight": "ffn_down.weight",
}
# without an output.weight llama.cpp takes token_embd.weight for it: the embedding is tied
WHOLE = {"embedding.weight": "token_embd.weight", "norm.weight": "output_norm.weight"}


def llama_cpp_name(name: str) -> str:
    """``blocks.3.gate.weight`` to ``blk.3.ffn_gate.weight``."""
    if name in WHOLE:
        return WHOLE[name]
    _, block, rest = name.split(".", 2)
    return f"blk.{block}.{BLOCK[rest]}"


def add_vocabulary(writer: gguf.GGUFWriter, tokenizer: Path) -> None:
    """Pieces, scores and types as SentencePiece holds them."""
    vocabulary = read_vocabulary(tokenizer)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(vocabulary.pieces)
    writer.add_token_scores(vocabulary.scores)
    writer.add_token_types(vocabulary.types)
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(True)


def add_shape(writer: gguf.GGUFWriter, shape: Shape) -> None:
    """The sizes llama.cpp's ``llama`` architecture asks for."""
    writer.add_vocab_size(shape.n_vocab)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.d_model)
    writer.add_block_count(shape.n_layers)
    writer.add_feed_forward_length(shape.d_ff)
    writer.add_head_count(shape.n_heads)
    writer.add_head_count_kv(shape.n_kv_heads)
    writer.add_rope_dimension_count(shape.d_head)
    writer.add_rope_freq_base(shape.rope_theta)
    writer.add_layer_norm_rms_eps(shape.norm_eps)


def export(checkpoint: Path, tokenizer: Path, out: Path, quantisation: str) -> None:
    """Write ``out``; matrices in the quantisation, norms in float32."""
    state = checkpoints.load(checkpoint)
    shape = Shape(**state["config"]["model"])
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_suffix(".tmp")
    writer = gguf.GGUFWriter(temporary, "llama")
    writer.add_name(state["config"]["name"])
    writer.add_license("CC-BY-SA-4.0")
    writer.add_file_type(FILE_TYPES[quantisation])
    add_shape(writer, shape)
    add_vocabulary(writer, tokenizer)
    for name, tensor in state["model"].items():
        values = tensor.float().cpu().numpy()
        if values.ndim == 1:
            writer.add_tensor(llama_cpp_name(name), values)
        elif quantisation == "F16":
            writer.add_tensor(llama_cpp_name(name), values.astype(np.float16))
        else:
            kind = TYPES[quantisation]
            writer.add_tensor(llama_cpp_name(name), gguf.quants.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    temporary.replace(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--quantisation", choices=sorted(TYPES), default="F16")
    options = parser.parse_args()
    export(options.checkpoint, options.tokenizer, options.out, options.quantisation)


if __name__ == "__main__":
    main()
