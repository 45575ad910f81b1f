"""A GGUF language model as a network of transformers: weights spelt out, names and orders translated."""

from __future__ import annotations

from typing import Any

import gguf
import numpy as np
import numpy.typing as npt
import torch
import transformers

from ghostbuster.errors import ModelError
from ghostbuster.models.gguf.model_file import ModelFile

TYPES = {"bf16": torch.bfloat16, "f32": torch.float32}
FAMILIES = {"llama": "Llama", "qwen2": "Qwen2", "qwen3": "Qwen3"}
"""Architectures of GGUF files that can be trained, and how transformers calls them."""
LAYER = {
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
"""llama.cpp's names of a layer's tensors, and those of transformers."""
OUTER = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}

Float32 = npt.NDArray[np.float32]


def load_base(file: ModelFile, precision: str) -> Any:
    """The language model of a checked file, with its output head, on the CPU.

    Raises
    ------
    ModelError
        When it is of a kind that cannot be trained.
    """
    reader = gguf.GGUFReader(file.path)
    config = _config(file, reader)
    kind = getattr(transformers, f"{FAMILIES[file.architecture]}ForCausalLM")
    with torch.device("meta"):
        network = kind(config)
    network = network.to_empty(device="cpu").to(TYPES[precision])
    network.model.rotary_emb = type(network.model.rotary_emb)(config)  # its frequencies are no weights
    if config.tie_word_embeddings:
        network.lm_head.weight = network.model.embed_tokens.weight
    _fill(file, reader, network, config)
    return network.requires_grad_(False).eval()


def _config(file: ModelFile, reader: Any) -> Any:
    """The shape of the model as transformers describes it."""
    kind = file.architecture
    names = {tensor.name for tensor in reader.tensors}
    scaled = f"{kind}.rope.scaling.type" in reader.fields or "rope_freqs.weight" in names
    experts = f"{kind}.expert_count" in reader.fields
    if kind not in FAMILIES or scaled or experts:
        why = "scaled positions" if scaled else "experts" if experts else f"architecture {kind}"
        raise ModelError(
            f"{file.path}: {why}; expected a plain model of {', '.join(FAMILIES)}: take another base"
        )

    def field(key: str, default: float | None = None) -> Any:
        found = reader.fields.get(f"{kind}.{key}")
        return default if found is None else found.contents()

    heads = field("attention.head_count")
    base = field("rope.freq_base", 10_000.0)
    return getattr(transformers, f"{FAMILIES[kind]}Config")(
        vocab_size=file.n_vocabulary,
        hidden_size=field("embedding_length"),
        intermediate_size=field("feed_forward_length"),
        num_hidden_layers=file.n_layers,
        num_attention_heads=heads,
        num_key_value_heads=field("attention.head_count_kv", heads),
        head_dim=field("attention.key_length", field("embedding_length") // heads),
        max_position_embeddings=file.context,
        rms_norm_eps=field("attention.layer_norm_rms_epsilon", 1e-6),
        rope_theta=base,
        rope_parameters={"rope_type": "default", "rope_theta": base},
        tie_word_embeddings="output.weight" not in names,
    )


def _fill(file: ModelFile, reader: Any, network: Any, config: Any) -> None:
    """Copy every tensor of the file to its parameter."""
    wanted = dict(network.named_parameters())
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    for tensor in reader.tensors:
        name, head_rows = OUTER.get(tensor.name), None
        if name is None and tensor.name.startswith("blk."):
            _, layer, short, kind = tensor.name.split(".", 3)
            name = f"model.layers.{layer}.{LAYER.get(short, short)}.{kind}"
            head_rows = heads.get(short) if file.architecture == "llama" else None
        target = wanted.pop(name, None)
        values = gguf.dequantize(tensor.data, tensor.tensor_type)
        if target is None or tuple(target.shape) != values.shape:
            raise ModelError(
                f"{file.path}: tensor {tensor.name} of shape {values.shape} has no place in a plain model of "
                "its architecture: take another base"
            )
        with torch.no_grad():
            target.copy_(torch.from_numpy(halves_apart(values, head_rows) if head_rows else np.array(values)))
    if wanted:
        raise ModelError(f"{file.path}: no tensors for {', '.join(sorted(wanted)[:3])}: take another base")


def halves_apart(weights: Float32, n_heads: int) -> Float32:
    """Rows of a projection as transformers has them: it rotates halves of a head, GGUF files neighbours."""
    shape = weights.shape
    split = weights.reshape(n_heads, shape[0] // n_heads // 2, 2, *shape[1:])
    return np.ascontiguousarray(split.swapaxes(1, 2)).reshape(shape)


def neighbours_again(weights: Float32, n_heads: int) -> Float32:
    """Undo `halves_apart`."""
    shape = weights.shape
    split = weights.reshape(n_heads, 2, shape[0] // n_heads // 2, *shape[1:])
    return np.ascontiguousarray(split.swapaxes(1, 2)).reshape(shape)
