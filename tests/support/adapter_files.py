"""Random GGUF adapters of toy models, written without code of the package."""

from pathlib import Path

import gguf
import numpy as np

KEY = "ghostbuster.adapter."


def facts(base, width, **changed):
    """Metadata of an adapter of ``base`` (a checked model) with the head on the mean of layer 1."""
    rng = np.random.default_rng(1)
    made = {
        "general.type": "adapter",
        "adapter.type": "lora",
        "adapter.lora.alpha": 8.0,
        KEY + "version": 1,
        KEY + "reads": "mean",
        KEY + "layers": 2,
        KEY + "base": changed.pop("digest"),
        KEY + "tokenizer": base.tokenizer,
        KEY + "head": [float(one) for one in rng.normal(size=width).astype(np.float32)],
        KEY + "baseline": 0.25,
        KEY + "learned": [3, 17, 1 << 63],
        KEY + "training": "{}",
    }
    return made | changed


def random_updates(reference, n_layers=2, rank=4, scale=0.05, seed=0):
    """Both halves of an update of every matrix of the first layers; large enough to be seen."""
    rng = np.random.default_rng(seed)
    made = {}
    for layer in range(n_layers):
        for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
            n_out, n_in = reference.tensors[f"blk.{layer}.{name}.weight"].shape
            for half, shape in (("a", (rank, n_in)), ("b", (n_out, rank))):
                values = rng.normal(scale=scale, size=shape).astype(np.float32)
                made[f"blk.{layer}.{name}.weight.lora_{half}"] = values
    return made


def write_adapter(path: Path, metadata, tensors, architecture="llama"):
    """Write metadata (text, whole numbers, numbers, lists of them) and tensors as they are."""
    writer = gguf.GGUFWriter(path, architecture)
    array, kinds = gguf.GGUFValueType.ARRAY, gguf.GGUFValueType
    for key, value in metadata.items():
        if value is None:
            continue
        if isinstance(value, list):
            kind = kinds.FLOAT32 if value and isinstance(value[0], float) else kinds.UINT64
            writer.add_key_value(key, value, array, sub_type=kind)
        elif isinstance(value, str):
            writer.add_string(key, value)
        elif isinstance(value, float):
            writer.add_float32(key, value)
        else:
            writer.add_uint32(key, value)
    for name, values in tensors.items():
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
