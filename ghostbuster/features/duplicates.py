"""Find duplicate chains: equal by algebra, up to sign, or with 0 and 1 swapped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from ghostbuster.features.chains import Chain, Vector

# a vector's name, or an operation over terms with whole coefficients (sums) or exponents (products)
Form: TypeAlias = str | tuple[str, tuple[tuple["Form", int], ...]]


def duplicate_key(chain: Chain) -> Form:
    """A key that duplicates share: chains of equal value, of opposite sign, or with 0 and 1 swapped.

    Sums and products are taken apart and sorted, so order does not matter. ``a > b``, ``b > a`` and ``a < b``
    are duplicates but for ties; dividing by a vector and multiplying by it again counts as doing nothing.
    """
    _, form = _signed_form(chain)
    if not isinstance(form, str) and form[0] == "v->":
        return ("v->", ((form[1][0][0], 1),))
    return form


def unique_chains(chains: Iterable[Chain]) -> Iterator[Chain]:
    """The first of each set of duplicates, in order."""
    seen = set()
    for chain in chains:
        key = duplicate_key(chain)
        if key not in seen:
            seen.add(key)
            yield chain


def _signed_form(chain: Chain) -> tuple[int, Form]:
    """A sign and a form without sign; their product is the chain's value."""
    if isinstance(chain, Vector):
        return 1, chain.name
    sign, form = _signed_form(chain.left)
    right = chain.right.name
    if chain.op in ("v-add", "v-sub"):
        return _sum(sign, form, right, 1 if chain.op == "v-add" else -1)
    if chain.op in ("v-mul", "v-div"):
        return sign, _product(form, right, 1 if chain.op == "v-mul" else -1)
    if chain.op in ("v->", "v-<"):
        side, difference = _sum(sign, form, right, -1)
        return 1, ("v->", ((difference, side if chain.op == "v->" else -side),))
    return 1, (chain.op, ((form, sign), (right, 1)))


def _sum(sign: int, form: Form, right: str, coefficient: int) -> tuple[int, Form]:
    """``sign * form + coefficient * right``."""
    terms: Counter[Form] = Counter()
    for term, n in form[1] if not isinstance(form, str) and form[0] == "v-add" else ((form, 1),):
        terms[term] += sign * n
    terms[right] += coefficient
    kept = _sorted_terms(terms)
    if not kept:
        return 1, ("v-add", ())
    side = 1 if kept[0][1] > 0 else -1
    if len(kept) == 1 and abs(kept[0][1]) == 1:
        return side, kept[0][0]
    return side, ("v-add", tuple((term, side * n) for term, n in kept))


def _product(form: Form, right: str, exponent: int) -> Form:
    """``form * right ** exponent``."""
    factors: Counter[Form] = Counter()
    for factor, n in form[1] if not isinstance(form, str) and form[0] == "v-mul" else ((form, 1),):
        factors[factor] += n
    factors[right] += exponent
    kept = _sorted_terms(factors)
    if len(kept) == 1 and kept[0][1] == 1:
        return kept[0][0]
    return ("v-mul", kept)


def _sorted_terms(terms: Counter[Form]) -> tuple[tuple[Form, int], ...]:
    """Terms that did not cancel, in an order of their own."""
    return tuple(sorted(((term, n) for term, n in terms.items() if n), key=repr))
