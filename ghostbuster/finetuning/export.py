"""Write a trained adapter as one GGUF file: updates that llama.cpp reads, and the head in the metadata."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import numpy.typing as npt

from ghostbuster.errors import ModelError
from ghostbuster.finetuning.base_model import LAYER, neighbours_again
from ghostbuster.finetuning.finetune import Finetuned
from ghostbuster.models.gguf.adapter import PREFIX, VERSION, AdapterFile, check_adapter
from ghostbuster.system.atomic_files import atomic_write

_PARAMETER = re.compile(r"layers\.(\d+)\.((?:self_attn|mlp)\.(\w+))\.lora_([AB])\.default\.weight")
_NAMES = {theirs: ours for ours, theirs in LAYER.items()}


def write_adapter(made: Finetuned, path: Path, base: str | None = None, made_by: str = "") -> AdapterFile:
    """Write an adapter, whole or not at all, and check what was written.

    Parameters
    ----------
    made : Finetuned
    path : Path
    base : str, optional
        SHA-256 of the model that it is for, where that is a form of the one that was trained; the latter by
        default.
    made_by : str
        Version of the program, for the record.

    Raises
    ------
    ModelError
        When the file cannot be written.
    """
    with atomic_write(path, ModelError) as unfinished:
        writer = gguf.GGUFWriter(unfinished, made.base.architecture)
        _add_facts(writer, made, base or made.base_digest, made_by)
        for name, values in updates(made).items():
            writer.add_tensor(name, values)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    return check_adapter(path)


def updates(made: Finetuned) -> dict[str, npt.NDArray[np.float16]]:
    """By llama.cpp's names and in its order of rows, both halves of updates: (rank, n_in), (n_out, rank)."""
    tensors = {}
    for name, value in made.network.trained.items():
        found = _PARAMETER.search(name)
        if found is None:
            continue
        layer, place, short, half = found.groups()
        values = value.detach().float().cpu().numpy()
        if half == "B" and short in made.network.heads:
            values = neighbours_again(values, made.network.heads[short])
        tensors[f"blk.{layer}.{_NAMES[place]}.weight.lora_{half.lower()}"] = values.astype(np.float16)
    return tensors


def _add_facts(writer: Any, made: Finetuned, base: str, made_by: str) -> None:
    """Everything but the tensors."""
    network, settings = made.network, made.settings
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", settings.scale * settings.rank)
    writer.add_uint32(PREFIX + "version", VERSION)
    writer.add_string(PREFIX + "reads", settings.reads)
    writer.add_uint32(PREFIX + "layers", network.n_layers)
    writer.add_string(PREFIX + "base", base)
    writer.add_string(PREFIX + "tokenizer", made.base.tokenizer)
    coef, baseline = head_of(made)
    writer.add_array(PREFIX + "head", [float(one) for one in coef])
    writer.add_float32(PREFIX + "baseline", baseline)
    if network.question is not None:
        writer.add_array(PREFIX + "suffix", list(network.question.suffix))
        writer.add_array(PREFIX + "answers", list(network.question.answers))
    array, whole = gguf.GGUFValueType.ARRAY, gguf.GGUFValueType.UINT64
    writer.add_key_value(PREFIX + "learned", np.unique(made.hashes).tolist(), array, sub_type=whole)
    facts = {
        "ghostbuster": made_by,
        "settings": asdict(settings),
        "changed_layers": [network.changed[0], network.changed[-1]],
        "checks": [asdict(check) for check in made.checks],
        "n_learned": made.n_learned,
        "n_held_out": made.n_held_out,
    }
    writer.add_string(PREFIX + "training", json.dumps(facts))


def head_of(made: Finetuned) -> tuple[npt.NDArray[np.float32], float]:
    """The head on states as they come: centre and spread are worked into it."""
    network = made.network
    bias = float(network.bias.detach())
    if network.question is not None:
        return np.ones(1, np.float32), bias
    center, spread, weight = (
        one.detach().double().cpu().numpy() for one in (network.center, network.spread, network.weight)
    )
    coef = weight / spread
    return coef.astype(np.float32), bias - float(center @ coef)
