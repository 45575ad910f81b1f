"""Causal attention for training on a CPU, where PyTorch's own is slow in bf16.

Blocks of queries against the keys before their end, each product one batched matrix product; the weights
are kept for the way back. On a GPU PyTorch's fused kernels are better.
"""

from typing import Any

import torch
from torch import Tensor

BLOCK = 128


class _Causal(torch.autograd.Function):
    """Arguments and result: (sequences, positions, d_head)."""

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        out = torch.empty_like(v)
        kept = []
        future = torch.full((BLOCK, BLOCK), float("-inf"), dtype=q.dtype).triu_(1)
        for start in range(0, q.shape[1], BLOCK):
            mine = q[:, start : start + BLOCK]
            n, end = mine.shape[1], start + mine.shape[1]
            scores = torch.bmm(mine, k[:, :end].transpose(1, 2)).mul_(q.shape[-1] ** -0.5)
            scores[..., start:] += future[:n, :n]
            weights = torch.softmax(scores, -1)
            out[:, start:end] = torch.bmm(weights, v[:, :end])
            kept.append(weights)
        ctx.save_for_backward(q, k, v, *kept)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        q, k, v, *kept = ctx.saved_tensors
        incoming = gradients[0].contiguous()
        dq = torch.empty_like(q)
        sums = torch.promote_types(q.dtype, torch.float32)
        dk, dv = torch.zeros_like(k, dtype=sums), torch.zeros_like(v, dtype=sums)
        start = 0
        for weights in kept:
            end = start + weights.shape[1]
            block = incoming[:, start:end]
            dv[:, :end] += torch.bmm(weights.transpose(1, 2), block)
            d_weights = torch.bmm(block, v[:, :end].transpose(1, 2))
            d_scores = torch._softmax_backward_data(  # noqa: SLF001 - in one pass
                d_weights, weights, -1, weights.dtype
            )
            d_scores.mul_(q.shape[-1] ** -0.5)
            dq[:, start:end] = torch.bmm(d_scores, k[:, :end])
            dk[:, :end] += torch.bmm(d_scores.transpose(1, 2), q[:, start:end])
            start = end
        return dq, dk.to(k.dtype), dv.to(v.dtype)


@torch.compiler.disable
def causal_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """softmax(q k^T / sqrt(d_head)) v of each row over itself and what is before it.

    Parameters
    ----------
    q, k, v : Tensor, shape (rows, heads, positions, d_head)
        As many heads of keys as of queries.

    Returns
    -------
    Tensor, shape (rows, heads, positions, d_head)
    """
    flat = (t.reshape(-1, *t.shape[2:]) for t in (q, k, v))
    mixed: Tensor = _Causal.apply(*flat)
    return mixed.view_as(q)
