"""Reference implementation of the n-gram probabilities, in plain Python."""

import math
from collections import Counter

BOS, A, B, C = 1, 2, 3, 4
N_VOCAB = 5


def contexts_of(texts, order):
    """Every (context, token) of the texts, padded by order - 1 begin-of-text ids."""
    for text in texts:
        padded = [BOS] * (order - 1) + list(text)
        for i in range(order - 1, len(padded)):
            yield tuple(padded[i - order + 1 : i]), padded[i]


class Reference:
    """METHOD's formulas word by word in plain Python; n-grams rarer than ``least`` are forgotten."""

    def __init__(self, texts, least=1, n_vocab=N_VOCAB, discount=0.9):
        self.n_vocab, self.discount = n_vocab, discount
        self.counts = {n: Counter(contexts_of(texts, n)) for n in (2, 3)}
        self.totals = {n: Counter() for n in (2, 3)}
        for n, counts in self.counts.items():
            for (context, _), count in counts.items():
                self.totals[n][context] += count
        self.neighbours = Counter(token for (_, token) in self.counts[2])
        self.kept = {n: {k: c for k, c in counts.items() if c >= least} for n, counts in self.counts.items()}

    def unigram(self, token):
        distinct = sum(self.neighbours.values())
        raw = [self.neighbours[w] / distinct if self.neighbours[w] else 1 / self.n_vocab
               for w in range(self.n_vocab)]  # fmt: skip
        return raw[token] / sum(raw)

    def probability(self, context, token):
        if not context:
            return self.unigram(token)
        order = len(context) + 1
        lower = self.probability(context[1:], token)
        total = self.totals[order][context]
        if not total:
            return lower
        kept = {w: c for (h, w), c in self.kept[order].items() if h == context}
        spared = 1 - sum(c - self.discount for c in kept.values()) / total
        return max(kept.get(token, 0) - self.discount, 0) / total + spared * lower

    def logprobs(self, texts, order):
        return [math.log(self.probability(h, w)) for h, w in
                (pair for text in texts for pair in contexts_of([text], order))]  # fmt: skip
