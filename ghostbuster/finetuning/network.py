"""The network in training: layers of a base model, low-rank updates by peft, and a head."""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import peft
import torch

from ghostbuster.finetuning.base_model import load_base
from ghostbuster.finetuning.settings import Settings
from ghostbuster.models.gguf.model_file import ModelFile

TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""Linear maps of a layer, as transformers names them in models of the Llama family."""
Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Question:
    """What a text is followed by, and the two tokens that answer it.

    Attributes
    ----------
    suffix : tuple of int
    answers : tuple of int
        The human's and the machine's token.
    """

    suffix: tuple[int, ...]
    answers: tuple[int, int]


class Network:
    """A base model with trainable updates and a linear head on the mean of its last kept states.

    For answers the state is that after the question, normed, and the head is what the base model's own output
    makes of it: the difference of two tokens' logits. Its bias alone is learned.

    Parameters
    ----------
    file : ModelFile
        The base model.
    settings : Settings
    device : str
        ``cpu`` or ``cuda``.
    question : Question, optional
        For answers.

    Attributes
    ----------
    n_layers : int
        Kept.
    heads : dict of str to int
        Heads of the projections whose rows GGUF files have in another order.
    trained : dict of str to Tensor
        Everything that is learned, by name; float32.
    width : int
    """

    def __init__(
        self, file: ModelFile, settings: Settings, device: str, question: Question | None = None
    ) -> None:
        torch.manual_seed(settings.seed)
        causal = load_base(file, settings.precision)
        model = causal.model
        depth = len(model.layers)
        kept, self.changed = settings.kept_layers(depth), settings.changed_layers(depth)
        self.n_layers, self.question = kept, question
        shape = model.config
        rotated = file.architecture == "llama"
        heads = {"q_proj": shape.num_attention_heads, "k_proj": shape.num_key_value_heads}
        self.heads: dict[str, int] = heads if rotated else {}
        model.layers = model.layers[:kept]
        if question is None:
            model.norm = torch.nn.Identity()
        rank, alpha = settings.rank, settings.scale * settings.rank
        config = peft.LoraConfig(
            r=rank,
            lora_alpha=alpha,
            target_modules=list(TARGETS),
            layers_to_transform=list(self.changed),
            layers_pattern="layers",
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # what peft asks of transformers is their affair
            self._body = peft.get_peft_model(model, config).to(device)
        self._body.train()
        for module in self._body.modules():
            module.cast_input_dtype_enabled = False  # autocast sees to it
        self.width: int = model.config.hidden_size
        self.device = device
        self._mixed = settings.precision == "bf16"
        zeros = torch.zeros(self.width, device=device)
        self.center, self.spread = zeros.clone(), torch.ones(self.width, device=device)
        self.weight, self.bias = (
            zeros.clone().requires_grad_(),
            torch.zeros((), device=device).requires_grad_(),
        )
        updates = {name: value for name, value in self._body.named_parameters() if value.requires_grad}
        self.trained: dict[str, Any] = {**updates, "head.bias": self.bias}
        if question is None:
            self.trained["head.weight"] = self.weight
        else:
            human, machine = causal.lm_head.weight[list(question.answers)].float()
            self.weight = (machine - human).to(device)

    def means(self, ids: npt.NDArray[np.int64], counted: npt.NDArray[np.bool_]) -> Any:
        """Mean states of crops, a float32 tensor of shape (n_crops, width)."""
        inputs = torch.from_numpy(ids).to(self.device)
        mask = torch.from_numpy(counted).to(self.device)
        mixed = torch.autocast(self.device, torch.bfloat16) if self._mixed else nullcontext()
        with mixed:
            states = self._body(input_ids=inputs, use_cache=False).last_hidden_state
        weights = mask.float()
        total = torch.einsum("nt,ntw->nw", weights, states.float())
        return total / weights.sum(1, keepdim=True)

    @property
    def suffix(self) -> tuple[int, ...]:
        """Tokens after a text; none where no question is asked."""
        return () if self.question is None else self.question.suffix

    def log_odds(self, means: Any) -> Any:
        """Log-odds of machine, shape (n_crops,)."""
        return ((means - self.center) / self.spread) @ self.weight + self.bias

    def start_head(self, center: Float32, spread: Float32, weight: Float32, bias: float) -> None:
        """Begin with a head that was fitted to the base model's states."""
        with torch.no_grad():
            for mine, given in ((self.center, center), (self.spread, spread), (self.weight, weight)):
                mine.copy_(torch.from_numpy(given))
            self.bias.fill_(bias)

    def state(self) -> dict[str, Any]:
        """Everything that a file must keep, on the CPU."""
        tensors = {**self.trained, "head.center": self.center, "head.spread": self.spread}
        return {name: value.detach().cpu().clone() for name, value in tensors.items()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go back to what `state` gave."""
        tensors = {**self.trained, "head.center": self.center, "head.spread": self.spread}
        with torch.no_grad():
            for name, value in tensors.items():
                value.copy_(state[name])
