"""The Llama architecture in numpy and float64, from its papers: layers' outputs and logits of a GGUF file.

Touvron et al., arXiv:2302.13971; rotary positions arXiv:2104.09864; grouped queries arXiv:2305.13245.
"""

from pathlib import Path

import gguf
import numpy as np


class LlamaReference:
    """A GGUF model of float tensors; rotary pairs are neighbours, as llama.cpp stores them."""

    def __init__(self, path: Path) -> None:
        reader = gguf.GGUFReader(path)
        self.tensors = {
            t.name: gguf.dequantize(t.data, t.tensor_type).astype(np.float64) for t in reader.tensors
        }

        def number(key):
            field = reader.fields[f"llama.{key}"]
            return field.parts[field.data[0]][0]

        self.layers = int(number("block_count"))
        self.heads = int(number("attention.head_count"))
        self.kv_heads = int(number("attention.head_count_kv"))
        self.eps = float(number("attention.layer_norm_rms_epsilon"))
        self.base = float(number("rope.freq_base")) if "llama.rope.freq_base" in reader.fields else 10000.0

    def outputs(self, ids):
        """Each layer's output (n_layers, n, width), and logits (n, n_vocabulary)."""
        x = self.tensors["token_embd.weight"][np.asarray(ids)]
        states = []
        for layer in range(self.layers):
            x = x + self._attention(layer, x)
            x = x + self._feed_forward(layer, x)
            states.append(x)
        head = self.tensors.get("output.weight", self.tensors["token_embd.weight"])
        return np.stack(states), self._norm("output_norm", x) @ head.T

    def _norm(self, name, x):
        return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + self.eps) * self.tensors[f"{name}.weight"]

    def _linear(self, layer, name, x):
        return x @ self.tensors[f"blk.{layer}.{name}.weight"].T

    def _heads(self, layer, name, x, n_heads, rotate):
        heads = self._linear(layer, name, x).reshape(len(x), n_heads, -1).transpose(1, 0, 2)
        if not rotate:
            return heads
        size = heads.shape[-1]
        angles = np.outer(np.arange(len(x)), self.base ** (-np.arange(0, size, 2) / size))
        even, odd = heads[..., ::2], heads[..., 1::2]
        turned = np.empty_like(heads)
        turned[..., ::2] = even * np.cos(angles) - odd * np.sin(angles)
        turned[..., 1::2] = even * np.sin(angles) + odd * np.cos(angles)
        return turned

    def _attention(self, layer, x):
        h = self._norm(f"blk.{layer}.attn_norm", x)
        q = self._heads(layer, "attn_q", h, self.heads, rotate=True)
        k = self._heads(layer, "attn_k", h, self.kv_heads, rotate=True)
        v = self._heads(layer, "attn_v", h, self.kv_heads, rotate=False)
        k, v = (np.repeat(one, self.heads // self.kv_heads, axis=0) for one in (k, v))
        scores = q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[-1])
        scores[:, np.triu(np.ones((len(x), len(x)), bool), 1)] = -np.inf
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        mixed = (weights @ v).transpose(1, 0, 2).reshape(len(x), -1)
        return self._linear(layer, "attn_output", mixed)

    def _feed_forward(self, layer, x):
        h = self._norm(f"blk.{layer}.ffn_norm", x)
        gate = self._linear(layer, "ffn_gate", h)
        return self._linear(layer, "ffn_down", gate / (1 + np.exp(-gate)) * self._linear(layer, "ffn_up", h))
