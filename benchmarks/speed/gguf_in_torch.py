"""Load a GGUF file's weights into Hugging Face transformers; token statistics in PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import gguf
import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM

NAMES = {
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
OUTER = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}


def load(path: Path, dtype: torch.dtype) -> LlamaForCausalLM:
    """A Llama-architecture GGUF file as a network of that type; quantised weights are spelt out."""
    reader = gguf.GGUFReader(path)
    config = configuration(reader)
    with torch.device("meta"):
        network = LlamaForCausalLM(config)
    network.to_empty(device="cpu")
    network = network.to(dtype).eval()
    network.model.rotary_emb = type(network.model.rotary_emb)(config)  # its frequencies are no weights
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    wanted = dict(network.named_parameters())
    for tensor in reader.tensors:
        values = gguf.dequantize(tensor.data, tensor.tensor_type)
        name = OUTER.get(tensor.name)
        if name is None:
            _, layer, short, _ = tensor.name.split(".")
            name = f"model.layers.{layer}.{NAMES[short]}.weight"
            if short in heads:
                values = halves_apart(values, heads[short])
        wanted.pop(name).data.copy_(torch.from_numpy(np.array(values)))
    if config.tie_word_embeddings:
        network.lm_head.weight = network.model.embed_tokens.weight
        wanted.pop("lm_head.weight", None)
    if wanted:
        raise SystemExit(f"{path}: no tensors for {', '.join(wanted)}")
    return network


def configuration(reader: gguf.GGUFReader) -> LlamaConfig:
    """The shape of the model in a file."""

    def field(key: str) -> float:
        return reader.fields[f"llama.{key}"].contents()

    shapes = {tensor.name: tuple(int(n) for n in tensor.shape) for tensor in reader.tensors}
    base = reader.fields.get("llama.rope.freq_base")
    return LlamaConfig(
        vocab_size=shapes["token_embd.weight"][1],
        hidden_size=field("embedding_length"),
        intermediate_size=field("feed_forward_length"),
        num_hidden_layers=field("block_count"),
        num_attention_heads=field("attention.head_count"),
        num_key_value_heads=field("attention.head_count_kv"),
        max_position_embeddings=field("context_length"),
        rms_norm_eps=field("attention.layer_norm_rms_epsilon"),
        rope_theta=base.contents() if base else 10000.0,
        tie_word_embeddings="output.weight" not in shapes,
    )


def halves_apart(weights: np.ndarray, n_heads: int) -> np.ndarray:
    """Undo GGUF's order of rows: it rotates neighbours, transformers rotates the two halves of a head."""
    rows, columns = weights.shape
    return weights.reshape(n_heads, rows // n_heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


@torch.inference_mode()
def statistics(
    network: LlamaForCausalLM, ids: Sequence[np.ndarray], begin: int, layers: Sequence[int] = ()
) -> list[np.ndarray]:
    """Log-prob, rank, entropy, varentropy of each token, (4, n_tokens) a text; texts are padded alike.

    With ``layers`` the means of their outputs over each text's tokens are worked out too, and thrown away.
    """
    longest = max(one.size for one in ids)
    inputs = torch.full((len(ids), longest), begin)
    targets = torch.zeros((len(ids), longest), dtype=torch.long)
    device = network.device
    for row, one in enumerate(ids):
        values = torch.from_numpy(one.astype(np.int64))
        inputs[row, 1 : one.size] = values[:-1]
        targets[row, : one.size] = values
    inputs, targets = inputs.to(device), targets.to(device)
    made = network(inputs, use_cache=False, output_hidden_states=bool(layers))
    logits = made.logits
    for layer in layers:
        for row, one in enumerate(ids):
            made.hidden_states[layer + 1][row, 1 : one.size].float().mean(0).cpu().numpy()
    chosen = logits.gather(2, targets[..., None])
    rank = 1 + (logits > chosen).sum(-1)
    logp = logits.to(torch.promote_types(logits.dtype, torch.float32)).log_softmax(-1)
    p = logp.exp()
    entropy = -(p * logp).sum(-1)
    varentropy = (p * logp.square()).sum(-1) - entropy.square()
    logprob = logp.gather(2, targets[..., None])[..., 0]
    table = torch.stack([logprob, rank.to(logprob.dtype), entropy, varentropy]).cpu().numpy()
    return [table[:, row, : one.size] for row, one in enumerate(ids)]
