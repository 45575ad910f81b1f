"""The Llama architecture in PyTorch: RMSNorm, rotary positions, SwiGLU, tied embedding."""

import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from causal_attention import causal_attention
from torch import Tensor, nn
from torch.nn import functional as nnf


@dataclass(frozen=True)
class Shape:
    """Sizes of one model; widths are multiples of 32, so every GGUF quantisation stays possible."""

    n_vocab: int
    d_model: int
    n_layers: int
    n_heads: int
    n_kv_heads: int
    d_ff: int
    context: int
    rope_theta: float
    norm_eps: float

    @property
    def d_head(self) -> int:
        """Width of one head."""
        return self.d_model // self.n_heads


def read_config(path: Path) -> dict[str, Any]:
    """Read a model's TOML; its ``[model]`` table is ``Shape``'s fields."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


class RMSNorm(nn.Module):
    """Zhang and Sennrich 2019, arXiv:1910.07467."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Each vector to length sqrt(width), then each coordinate by its weight."""
        wide = x.float()
        scaled = wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.eps)
        return scaled * self.weight


def rotary_table(shape: Shape) -> tuple[Tensor, Tensor]:
    """Cosines and sines, each (context, 1, d_head / 2)."""
    exponents = torch.arange(0, shape.d_head, 2, dtype=torch.float64) / shape.d_head
    angles = torch.outer(torch.arange(shape.context, dtype=torch.float64), shape.rope_theta**-exponents)
    return angles.cos().float()[:, None], angles.sin().float()[:, None]


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn neighbouring pairs (2i, 2i + 1) of ``x`` (rows, positions, heads, d_head).

    llama.cpp's ``llama`` architecture pairs neighbours too, so weights are exported as they are.
    """
    even, odd = x.float().unflatten(-1, (-1, 2)).unbind(-1)
    turned = torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1)
    return turned.flatten(-2)


class Attention(nn.Module):
    """Causal attention of a row over itself."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        kv_width = shape.n_kv_heads * shape.d_head
        self.q = nn.Linear(shape.d_model, shape.d_model, bias=False)
        self.k = nn.Linear(shape.d_model, kv_width, bias=False)
        self.v = nn.Linear(shape.d_model, kv_width, bias=False)
        self.out = nn.Linear(shape.d_model, shape.d_model, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """(rows, positions, d_model) to the same."""
        split = (-1, self.shape.d_head)
        v = self.v(x).unflatten(-1, split)
        q = rotate(self.q(x).unflatten(-1, split), cos, sin).to(v.dtype)
        k = rotate(self.k(x).unflatten(-1, split), cos, sin).to(v.dtype)
        q, k, v = (t.transpose(1, 2) for t in (q, k, v))
        grouped = self.shape.n_kv_heads != self.shape.n_heads
        if x.device.type == "cpu" and not grouped:
            mixed = causal_attention(q, k, v)
        else:
            mixed = nnf.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=grouped)
        return self.out(mixed.transpose(1, 2).flatten(-2))


class Block(nn.Module):
    """Attention, then a SwiGLU feed-forward layer, each behind a norm and added to its input."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.attention_norm = RMSNorm(shape.d_model, shape.norm_eps)
        self.attention = Attention(shape)
        self.ffn_norm = RMSNorm(shape.d_model, shape.norm_eps)
        self.gate = nn.Linear(shape.d_model, shape.d_ff, bias=False)
        self.up = nn.Linear(shape.d_model, shape.d_ff, bias=False)
        self.down = nn.Linear(shape.d_ff, shape.d_model, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """(rows, positions, d_model) to the same."""
        x = x + self.attention(self.attention_norm(x), cos, sin)
        inner = self.ffn_norm(x)
        return x + self.down(nnf.silu(self.gate(inner)) * self.up(inner))


class Llama(nn.Module):
    """Token ids (rows, positions) to logits (rows, positions, n_vocab)."""

    cos: Tensor
    sin: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.n_vocab, shape.d_model)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.n_layers))
        self.norm = RMSNorm(shape.d_model, shape.norm_eps)
        cos, sin = rotary_table(shape)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        self.apply(self._initialise)

    def _initialise(self, module: nn.Module) -> None:
        if isinstance(module, nn.Embedding | nn.Linear):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, Attention):
            nn.init.normal_(module.out.weight, std=0.02 / math.sqrt(2 * self.shape.n_layers))
        if isinstance(module, Block):
            nn.init.normal_(module.down.weight, std=0.02 / math.sqrt(2 * self.shape.n_layers))

    def forward(self, ids: Tensor) -> Tensor:
        """Logits of the token after each position."""
        length = ids.shape[1]
        cos, sin = self.cos[:length], self.sin[:length]
        x = self.embedding(ids)
        for block in self.blocks:
            x = block(x, cos, sin)
        return nnf.linear(self.norm(x), self.embedding.weight)


def n_parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())
