"""Export a checkpoint in every quantisation, and measure bits per character of each.

The weights of each file are read back, made float32 and run in PyTorch: what rounding the weights costs,
and nothing else. llama.cpp also rounds activations for quantised files; `bits_per_character` reads
through it.
"""

import sys
from pathlib import Path
from typing import Any

import checkpoints
import gguf
import torch
from export_gguf import TYPES, export, llama_cpp_name
from heldout import Register, bits_per_character
from model import Llama, Shape

ROOT = Path(__file__).parents[2]


def measured(checkpoint: Path, runs: Path, name: str, limit: int = 10**9) -> dict[str, Any]:
    """Export and measure; sizes in bytes, bits per character by quantisation and register.

    Parameters
    ----------
    checkpoint : Path
        Or the first part of one that travelled.
    runs : Path
        Holds ``tokenizer/`` and ``corpus/heldout/``; gets ``gguf/``.
    name : str
        Of the files.
    limit : int
        Characters of each register.
    """
    tokenizer = runs / "tokenizer" / "tokenizer.model"
    registers = [
        Register.read(p, tokenizer, limit) for p in sorted((runs / "corpus" / "heldout").glob("*.txt"))
    ]
    state = checkpoints.load(checkpoint)
    shape = Shape(**state["config"]["model"])
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = Llama(shape).to(device)
    model.load_state_dict(state["model"])
    found: dict[str, Any] = {"float32": bits(model, registers, shape.context)}
    notes = []
    for kind in (*TYPES, "Q6_K"):
        try:
            path = written(checkpoint, tokenizer, runs / "gguf" / f"{name}-{kind.lower()}.gguf", kind)
        except (ImportError, OSError, RuntimeError) as error:  # no llama.cpp here, or not its libraries
            notes.append(f"{kind}: {error}")
            continue
        model.load_state_dict(weights_of(path, state["model"]))
        found[kind] = {"bytes": path.stat().st_size, **bits(model, registers, shape.context)}
    return {"checkpoint": str(checkpoint), "bits_per_character": found, "left_out": notes}


def written(checkpoint: Path, tokenizer: Path, out: Path, kind: str) -> Path:
    """The GGUF file of one quantisation; the kinds that the gguf package cannot write, by llama.cpp."""
    if kind in TYPES:
        export(checkpoint, tokenizer, out, kind)
        return out
    sys.path.insert(0, str(ROOT))
    from training.data.make_gguf import requantise

    whole = out.with_name(out.name.replace(f"-{kind.lower()}.gguf", "-f16.gguf"))
    return requantise(whole, kind).replace(out)


def weights_of(path: Path, like: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A file's tensors in float32, under our names."""
    names = {llama_cpp_name(name): name for name in like}
    return {
        names[tensor.name]: torch.from_numpy(gguf.quants.dequantize(tensor.data, tensor.tensor_type).copy())
        for tensor in gguf.GGUFReader(path).tensors
    }


def bits(model: Llama, registers: list[Register], length: int) -> dict[str, float]:
    """Bits per character of each register."""
    device = next(model.parameters()).device

    def logits(ids: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = model(ids.to(device))
        return scores

    return {register.name: round(bits_per_character(logits, register, length), 5) for register in registers}
