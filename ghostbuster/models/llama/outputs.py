"""What is read from a language model's one pass, beside the statistics that are always read."""

from __future__ import annotations

from dataclasses import dataclass

from ghostbuster.errors import SettingError


@dataclass(frozen=True)
class Outputs:
    """Further outputs of one model; none of them moves a number of the others.

    Parameters
    ----------
    extra_channels : bool
        Whether `token_statistics.EXTRA_CHANNELS` are wanted.
    state_layers : tuple of int
        Layers whose mean outputs are wanted, of whole texts; rising, 0 for the first.
    block_layers : tuple of int
        Those of them that are wanted of blocks of `hidden_states.BLOCK_TOKENS` tokens too.
    """

    extra_channels: bool = False
    state_layers: tuple[int, ...] = ()
    block_layers: tuple[int, ...] = ()

    def check(self, path: object, n_layers: int) -> None:
        """Refuse layers that a model has not got.

        Raises
        ------
        SettingError
            When layers do not rise, are not there, or blocks are wanted of others than the states.
        """
        layers = self.state_layers
        if list(layers) != sorted(set(layers)) or not set(layers) <= set(range(n_layers)):
            raise SettingError(
                f"hidden states of layers {layers} of {path}; "
                f"expected rising numbers from 0 to {n_layers - 1}"
            )
        if list(self.block_layers) != [layer for layer in layers if layer in self.block_layers]:
            raise SettingError(
                f"hidden states of blocks of layers {self.block_layers}; expected some of {layers}, rising"
            )


NOTHING_MORE = Outputs()
