"""Parse and print features. Artifacts store what is printed here, so the grammar may only grow.

::

    feature    = vector {op vector} [skip] reducer | statistic source [source]
    vector     = source "." channel                 strong.logprob
    op         = a row of ops.OPS                   v-sub
    skip       = a row of ops.SKIPS                 u-skip-25
    reducer    = a row of reducers.REDUCERS         s-avg
    statistic  = a row of zero_shot.STATISTICS      stat-binoculars strong weak

A chain is read from left to right: ``a v-sub b v-div c`` is ``(a - b) / c``.
"""

from __future__ import annotations

from dataclasses import dataclass

from ghostbuster.errors import FeatureError
from ghostbuster.features.chains import Apply, Chain, Models, Vector
from ghostbuster.features.ops import SKIPS
from ghostbuster.features.reducers import REDUCERS
from ghostbuster.features.zero_shot import STATISTICS, Statistic
from ghostbuster.registry import did_you_mean


@dataclass(frozen=True, slots=True)
class Feature:
    """One number a text: a reducer over a chain of vectors, or a statistic of models.

    Parameters
    ----------
    expression : Vector, Apply or Models
        What is reduced.
    reducer : str
        A row of ``REDUCERS``, or of ``STATISTICS`` where the expression names models.
    skip : str
        A row of ``SKIPS``, or nothing.

    Raises
    ------
    FeatureError
        When a name is in no table.
    """

    expression: Chain | Models
    reducer: str
    skip: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.expression, Models):
            _check_statistic(self.reducer, self.expression)
        elif self.reducer not in REDUCERS:
            raise FeatureError(f"no reducer {self.reducer!r}; {did_you_mean(self.reducer, REDUCERS)}")
        if self.skip and (self.skip not in SKIPS or isinstance(self.expression, Models)):
            raise FeatureError(
                f"no skip {self.skip!r} before {self.reducer!r}; {did_you_mean(self.skip, SKIPS)}"
            )

    def __str__(self) -> str:
        if isinstance(self.expression, Models):
            return f"{self.reducer} {self.expression}"
        return " ".join(filter(None, (str(self.expression), self.skip, self.reducer)))

    @classmethod
    def parse(cls, text: str) -> Feature:
        """Read what ``str`` printed; any white space separates words.

        Raises
        ------
        FeatureError
            Names the word that does not fit and the nearest that would.
        """
        words = text.split()
        if words and words[0].startswith("stat-"):
            if len(words) not in (2, 3):
                raise FeatureError(
                    f"{text!r} names {len(words) - 1} sources; expected one or two after {words[0]}"
                )
            return cls(Models(*words[1:]), words[0])
        if len(words) < 2:  # noqa: PLR2004 - a vector and a reducer
            raise FeatureError(f"{text!r} is no feature; expected vector [op vector]... reducer")
        return _parse_chain(text, words)

    @property
    def statistic(self) -> Statistic | None:
        """The row that computes it, where it is a statistic of models."""
        if not isinstance(self.expression, Models):
            return None
        return STATISTICS[self.reducer, 2 if self.expression.reference else 1]

    @property
    def vectors(self) -> tuple[str, ...]:
        """Names of the vectors it reads, in order."""
        if isinstance(self.expression, Models):
            row = STATISTICS[self.reducer, 2 if self.expression.reference else 1]
            return tuple(f"{self.expression.scoring}.{channel}" for channel in row.channels)
        return tuple(name for _, name in self.expression.path)


def _check_statistic(name: str, models: Models) -> None:
    """``name`` is in the table for as many sources as are given."""
    n_sources = 2 if models.reference else 1
    if (name, n_sources) in STATISTICS:
        return
    known = dict.fromkeys(known for known, _ in STATISTICS)
    if name in known:
        raise FeatureError(f"{name} {models} names {n_sources} source(s); expected {3 - n_sources}")
    raise FeatureError(f"no statistic {name!r}; {did_you_mean(name, known)}")


def _parse_chain(text: str, words: list[str]) -> Feature:
    """``vector {op vector} [skip] reducer``."""
    *chain, reducer = words
    skip = chain.pop() if len(chain) > 1 and chain[-1].startswith("u-") else ""
    if reducer not in REDUCERS:
        raise FeatureError(f"{text!r} ends in {reducer!r}, no reducer; {did_you_mean(reducer, REDUCERS)}")
    if len(chain) % 2 == 0:
        raise FeatureError(f"{text!r} has an op or a vector too many; expected vector [op vector]... reducer")
    expression: Chain = Vector(chain[0])
    for op, name in zip(chain[1::2], chain[2::2], strict=True):
        expression = Apply(expression, op, Vector(name))
    return Feature(expression, reducer, skip)
