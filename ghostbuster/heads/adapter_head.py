"""The reader that an adapter makes: its own head, not trained again, on texts that it did not learn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ghostbuster.arrays import Float1d
from ghostbuster.errors import InputError
from ghostbuster.heads.state_probe import ADAPTED, StateProbe, states_of
from ghostbuster.models.learned_texts import text_hashes
from ghostbuster.reading.read import Reading
from ghostbuster.text.prepare import prepare

if TYPE_CHECKING:
    from ghostbuster.models.llama.adapter import AdapterLM
    from ghostbuster.models.panel import Panel


def adapter_head(panel: Panel) -> StateProbe | None:
    """The head of a panel's adapter; None where it has none."""
    return None if panel.adapter is None else head_of(panel.adapter)


def head_of(adapter: AdapterLM) -> StateProbe:
    """An adapter's head: a probe of states that are centred on 0."""
    coef = adapter.file.coef[np.newaxis]
    return StateProbe((adapter.layer,), np.zeros_like(coef), coef, adapter.file.baseline)


def adapter_probability(adapter: AdapterLM, texts: Sequence[str]) -> Float1d:
    """Probability of machine by an adapter alone, shape (n_texts,); texts are prepared first.

    Raises
    ------
    InputError
        When nothing is left of a text.
    """
    prepared = [prepare(text).text for text in texts]
    for i, text in enumerate(prepared):
        if not text:
            raise InputError(f"text {i} is empty once prepared; expected at least one word: drop it")
    states = adapter.score(adapter.weights.tokenise(prepared)).states
    odds = head_of(adapter).raw_score(states)
    probability: Float1d = 1 / (1 + np.exp(-odds))
    return probability


def adapter_odds(panel: Panel, reading: Reading) -> Float1d | None:
    """Log-odds of machine by a panel's adapter, shape (n_texts,); None where it has none.

    Raises
    ------
    InputError
        When the adapter learned from one of the texts: what it says of it would promise too much.
    """
    head = adapter_head(panel)
    if panel.adapter is None or head is None:
        return None
    file = panel.adapter.file
    known = np.flatnonzero(np.isin(text_hashes(reading.texts), file.learned))
    if known.size:
        raise InputError(
            f"{file.path} learned from {known.size} of these texts (the first is text {known[0]}); expected "
            "others: it knows their labels. Leave them out, or fine-tune on one part and train on another"
        )
    return head.raw_score(states_of(reading.vectors, ADAPTED))
