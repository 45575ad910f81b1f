"""Save and load checkpoints; pack them for transfer (float16, compressed, in numbered parts).

A travelling checkpoint holds no optimiser's moments. They forget with 0.95 a step (Muon's momentum and
AdamW's second moment alike), so after the 60 steps of a new warm-up 5 % of what was lost would still
count; carrying them would triple the bytes.
"""

import hashlib
import json
import lzma
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

PART_BYTES = 15 << 20


def save(path: Path, state: dict[str, Any]) -> None:
    """Write through a temporary file: a broken run leaves the checkpoint before."""
    temporary = path.with_suffix(".tmp")
    torch.save(state, temporary)
    temporary.replace(path)


def load(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Read what `save` wrote, or the first of the parts that `send` wrote."""
    if ".part-" in path.name:
        return receive(sorted(path.parent.glob(f"{path.name.split('.part-')[0]}.part-*")))
    state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    return state


def send(state: dict[str, Any], out: Path, name: str, part_bytes: int = PART_BYTES) -> list[Path]:
    """Write weights, configuration and progress as ``<name>.part-<k>-of-<n>``; return the files."""
    tensors = {key: tensor.half().cpu() for key, tensor in state["model"].items()}
    words = np.concatenate([tensor.flatten().numpy().view(np.uint16) for tensor in tensors.values()])
    halves = words.view(np.uint8).reshape(-1, 2)  # low bytes are the ends of mantissas: noise
    high = lzma.compress(np.ascontiguousarray(halves[:, 1]).tobytes())
    body = high + np.ascontiguousarray(halves[:, 0]).tobytes()
    header = {
        "config": state["config"],
        "progress": state["progress"],
        "shapes": {key: list(tensor.shape) for key, tensor in tensors.items()},
        "high_bytes": len(high),
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    return split(json.dumps(header).encode() + b"\n" + body, out, name, part_bytes)


def receive(parts: Sequence[Path]) -> dict[str, Any]:
    """Undo `send`; the weights come back in float32.

    Raises
    ------
    SystemExit
        When a part is missing or damaged.
    """
    header, _, body = join(parts).partition(b"\n")
    facts = json.loads(header)
    if hashlib.sha256(body).hexdigest() != facts["sha256"]:
        raise SystemExit(f"{parts[0]}: these parts are damaged or of several checkpoints; send them again")
    high = np.frombuffer(lzma.decompress(body[: facts["high_bytes"]]), np.uint8)
    low = np.frombuffer(body, np.uint8, offset=facts["high_bytes"])
    numbers = (low | high.astype(np.uint16) << 8).view(np.float16).astype(np.float32)
    model = {}
    at = 0
    for key, shape in facts["shapes"].items():
        size = int(np.prod(shape))
        model[key] = torch.from_numpy(numbers[at : at + size].reshape(shape).copy())
        at += size
    return {"config": facts["config"], "progress": facts["progress"], "model": model}


def split(data: bytes, out: Path, name: str, part_bytes: int) -> list[Path]:
    """Cut ``data`` into numbered files; older parts of the same name go."""
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob(f"{name}.part-*"):
        old.unlink()
    n = max(1, -(-len(data) // part_bytes))
    paths = [out / f"{name}.part-{k + 1}-of-{n}" for k in range(n)]
    for k, path in enumerate(paths):
        path.write_bytes(data[k * part_bytes : (k + 1) * part_bytes])
    return paths


def complete(parts: Sequence[Path]) -> bool:
    """Whether all parts of one split are there."""
    wanted = {path.name.rpartition("-of-")[2] for path in parts}
    return len(wanted) == 1 and len(parts) == int(wanted.pop())


def join(parts: Sequence[Path]) -> bytes:
    """Undo `split`, in whatever order the parts are given."""
    if not complete(parts):
        names = ", ".join(path.name for path in parts) or "none"
        raise SystemExit(f"parts of a checkpoint are missing: there are {names}")
    ordered = sorted(parts, key=lambda path: int(path.name.rpartition("-of-")[0].rpartition("-")[2]))
    return b"".join(path.read_bytes() for path in ordered)
