"""Read layers' outputs through llama.cpp's evaluation callback, summed over blocks of tokens on the way.

llama.cpp asks of every node of its graph whether somebody wants to see it, and calls again once it is
computed. Layer ``n`` ends in the node ``l_out-n`` (float32, a row a token). What is looked at is not changed:
logits stay the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ghostbuster.arrays import Float32, Float64
from ghostbuster.errors import ModelError
from ghostbuster.hidden_states import BLOCK_TOKENS
from ghostbuster.models.backend.library import tensor_functions

_REMEDY = "install another build of llama-cpp-python, or ask for no hidden states"


class LayerOutputs:
    """The outputs of chosen layers of one context, summed over blocks of one window's tokens.

    Parameters
    ----------
    name : str
        The model's file, for messages.
    layers : sequence of int
        Rising numbers, 0 for the first layer.
    width : int
        Numbers a token and layer.
    n_decode : int, tokens
        The most that are decoded at once.
    stops : bool
        Whether llama.cpp may stop a decode once the last of the layers is there.

    Attributes
    ----------
    callback : ctypes function pointer
        For ``cb_eval`` of a context's parameters; this object must outlive the context.
    first_block : int
        Number in its text of the window's first block.
    sums : array of shape (n_blocks, n_layers, width)
        Sums over the counted tokens of each block.
    """

    def __init__(
        self, name: str, layers: Sequence[int], width: int, n_decode: int, *, stops: bool = False
    ) -> None:
        self._name, self._stops = name, stops
        self._ggml = tensor_functions()
        self._places = {b"l_out-%d" % layer: place for place, layer in enumerate(layers)}
        self._width = width
        self._buffer = np.empty((n_decode, width), np.float32)
        self._token = self._first = self._n = self._wanted_from = 0
        self._seen: set[int] = set()
        self._error: BaseException | None = None
        self.first_block = 0
        self.sums: Float64 = np.zeros((0, len(layers), width))
        self.callback = self._ggml.callback_type(self._observe)

    def begin(self, first: int, stop: int) -> None:
        """Count tokens ``first`` to ``stop`` of a text; blocks begin at multiples of their size."""
        self.first_block = first // BLOCK_TOKENS
        n_blocks = -(-stop // BLOCK_TOKENS) - self.first_block if stop > first else 0
        self.sums = np.zeros((n_blocks, *self.sums.shape[1:]))

    def expect(self, token: int, first: int, n: int, wanted_from: int) -> None:
        """Say what the next decode reads.

        Parameters
        ----------
        token : int
            Number in its text of the token of the first row.
        first : int
            Rows before it are not counted.
        n : int
            Rows.
        wanted_from : int
            The last layer may leave out the rows before it: they give no logits.
        """
        self._token, self._first, self._n, self._wanted_from = token, first, n, wanted_from
        self._seen.clear()

    def check(self) -> None:
        """Complain of the decode that just ended, where its layers were not all seen.

        Raises
        ------
        ModelError
            When this build of llama.cpp names or shapes its layers otherwise.
        """
        error, self._error = self._error, None
        if error is not None:
            raise error
        if self._first < self._n and len(self._seen) < len(self._places):
            raise ModelError(
                f"{self._name}: llama.cpp showed the outputs of {len(self._seen)} layers; expected "
                f"{len(self._places)}: {_REMEDY}"
            )

    def _observe(self, tensor: int, ask: bool, _data: object) -> bool:
        """Whether a node is wanted; once it is computed, sum it. Nothing may be raised into llama.cpp."""
        try:
            place = self._places.get(self._ggml.name(tensor)) if self._first < self._n else None
            if place is None or ask:
                return place is not None
            self._add(place, self._read(tensor))
            self._seen.add(place)
            return not (self._stops and len(self._seen) == len(self._places))
        except BaseException as error:  # noqa: BLE001 - an interruption too: `check` raises it again
            self._error = error
        return True

    def _read(self, tensor: int) -> Float32:
        """The counted rows of a node, in this object's buffer."""
        size = self._ggml.n_bytes(tensor)
        n, rest = divmod(size, self._buffer.itemsize * self._width)
        if (
            rest
            or n not in {self._n, self._n - self._wanted_from}
            or self._ggml.n_elements(tensor) * 4 != size
        ):
            raise ModelError(
                f"{self._name}: llama.cpp gave a layer of {size} bytes for {self._n} tokens; expected rows "
                f"of {self._width} float32: {_REMEDY}"
            )
        self._ggml.copy(tensor, self._buffer.ctypes.data, 0, size)
        return self._buffer[self._first - (self._n - n) : n]

    def _add(self, place: int, rows: Float32) -> None:
        """Add rows to the blocks of their tokens."""
        at = self._token + self._first
        start = 0
        while start < len(rows):
            block, inside = divmod(at + start, BLOCK_TOKENS)
            stop = min(start + BLOCK_TOKENS - inside, len(rows))
            self.sums[block - self.first_block, place] += rows[start:stop].sum(axis=0)
            start = stop
