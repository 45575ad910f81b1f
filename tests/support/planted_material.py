"""Synthetic labelled texts and token scores, in which machine texts are known to be likelier."""

import numpy as np

from ghostbuster.arrays import Vectors
from ghostbuster.reading.read import Reading
from ghostbuster.text.prepare import PreparedText
from training.data.labelled import LabelledText
from training.data.material import Material

N_TOKENS = 110  # more than the floor
CHANNELS = [f"{source}.logprob" for source in ("weak", "strong", "unigram", "trigram")]


def material(files=("a.train", "b.all", "c.all"), per_class=30, shift=0.6, seed=0):
    """Texts whose machine half has smaller log-probs; four texts in a row share a group."""
    rng = np.random.default_rng(seed)
    texts = [
        LabelledText(
            key=f"{file}-{i}",
            text=" ".join(rng.choice(["oak", "elm", "ash", "yew", "fir"], N_TOKENS)),
            raw="oak  elm\n",
            label=i % 2,
            file=file,
            source=file.split(".")[0],
            domain="d",
            generator="g",
            attack="swap",
            links=(),
            group=1000 * k + i // 4,
        )
        for k, file in enumerate(files)
        for i in range(2 * per_class)
    ]
    y = np.repeat([text.label for text in texts], N_TOKENS)
    likelier = np.exp(-shift * y)
    channels = {name: -rng.gamma(2.0, 1.5, y.size) * likelier for name in CHANNELS}
    channels |= {name.replace("logprob", "prob"): np.exp(values) for name, values in channels.items()}
    ranks = 1.0 + rng.poisson(3, y.size)
    for source in ("weak", "strong"):
        channels |= {f"{source}.rank": ranks, f"{source}.logrank": np.log(ranks)}
        for name in ("entropy", "varentropy", "cross_entropy", "cross_varentropy"):
            channels[f"{source}.{name}"] = rng.gamma(2.0, 1.0, y.size)
    vectors = Vectors(channels, np.arange(len(texts) + 1) * N_TOKENS)
    prepared = tuple(PreparedText(text.text, N_TOKENS) for text in texts)
    ends = np.concatenate([np.cumsum([4] * N_TOKENS) - 1 for _ in texts])
    return Material(tuple(texts), Reading(prepared, vectors, np.full(len(texts), N_TOKENS)), ends)
