"""Validate LightGBM's model text and write it anew before LightGBM parses it.

LightGBM's reader trusts its input: a feature, child or count out of place makes it read foreign memory, loop
or end the process. So every number that a prediction needs is checked here, and the text handed over is made
of those numbers alone; parameters, which may name files and machines, are left out.

Format: ``GBDT::SaveModelToString`` and ``Tree::ToString`` of LightGBM 4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from ghostbuster.errors import ArtifactError

VERSION = "v4"
MAX_TREES = 10_000
MAX_LEAVES = 4096
MAX_DEPTH = 128
"""Splits between root and leaf; explaining a prediction takes memory by its square."""
MAX_CHARACTERS = 1 << 25
MAX_COUNT = 2**31 - 1
LARGEST_LEAF = 1e6
"""Size of a leaf's value, in log-odds."""
LARGEST_THRESHOLD = 1e300
"""LightGBM writes no larger ones."""

_NUMBER = re.compile(r"[-+]?[0-9]{1,32}(?:\.[0-9]{1,32})?(?:e[-+]?[0-9]{1,3})?")
_WHOLE = re.compile(r"-?[0-9]{1,10}")  # \d would take digits of other scripts, LightGBM dies of them
_RANGE = re.compile(rf"none|\[{_NUMBER.pattern}:{_NUMBER.pattern}\]")
_END = "end of trees"
_DECISIONS = frozenset({0, 2, 4, 6, 8, 10})
"""Numeric splits: 2 sends missing values left, the rest says what counts as missing."""
_SPLITS = ("split_feature", "threshold", "decision_type", "left_child", "right_child", "internal_count")
_LEAVES = ("leaf_value", "leaf_count")
_HEADER = {"num_class": "1", "num_tree_per_iteration": "1", "label_index": "0"}


@dataclass(frozen=True, slots=True)
class Trees:
    """What a prediction needs of LightGBM's text.

    Parameters
    ----------
    n_features : int
    ranges : tuple of str, length n_features
        Smallest and largest value of each feature in training, as LightGBM writes them.
    blocks : tuple of str
        One checked tree each.
    """

    n_features: int
    ranges: tuple[str, ...]
    blocks: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take LightGBM's text apart.

        Parameters
        ----------
        text : str
            What ``Booster.model_to_string`` gave for one score a text.

        Raises
        ------
        ArtifactError
            When it is of another version or kind, or a number in it is out of place.
        """
        if len(text) > MAX_CHARACTERS:
            raise _damaged(f"{len(text)} characters, more than {MAX_CHARACTERS}")
        if f"\n{_END}\n" not in text:
            raise _damaged("no end")
        head, *trees = re.split(r"^Tree=[0-9]{1,9}$", text[: text.index(f"\n{_END}\n")], flags=re.MULTILINE)
        facts = _facts(head)
        if facts.get("version") != VERSION:
            raise _damaged(f"the format {facts.get('version')!r:.20} where {VERSION!r} is known")
        for name, value in _HEADER.items():
            if facts.get(name) != value:
                raise _damaged(f"{name}={facts.get(name)!r:.20} where {value} was due")
        (last,) = _wholes(facts, "max_feature_idx", 1, 0, 1 << 20)
        ranges = facts.get("feature_infos", "").split(" ")
        if len(ranges) != last + 1 or not all(_RANGE.fullmatch(one) for one in ranges):
            raise _damaged(f"no range of each of {last + 1} features")
        if not 0 < len(trees) <= MAX_TREES:
            raise _damaged(f"{len(trees)} trees")
        return cls(last + 1, tuple(ranges), tuple(_tree(tree, last + 1) for tree in trees))

    def __str__(self) -> str:
        """Text for LightGBM, with sizes that are right."""
        blocks = [f"Tree={i}\n{block}\n\n" for i, block in enumerate(self.blocks)]
        head = {
            "version": VERSION,
            **_HEADER,
            "max_feature_idx": str(self.n_features - 1),
            "objective": "cross_entropy",
            "feature_names": " ".join(f"Column_{i}" for i in range(self.n_features)),
            "feature_infos": " ".join(self.ranges),
            "tree_sizes": " ".join(str(len(block)) for block in blocks),
        }
        lines = "\n".join(f"{name}={value}" for name, value in head.items())
        return f"tree\n{lines}\n\n{''.join(blocks)}{_END}\n\n"


def _tree(text: str, n_features: int) -> str:
    """One tree's lines, checked and written anew."""
    facts = _facts(text)
    (n_leaves,) = _wholes(facts, "num_leaves", 1, 1, MAX_LEAVES)
    for name in ("num_cat", "is_linear"):
        if facts.get(name, "0") != "0":
            raise _damaged(f"{name}={facts[name]!r:.20} where 0 was due")
    n_splits = n_leaves - 1
    _wholes(facts, "split_feature", n_splits, 0, n_features - 1)
    _wholes(facts, "internal_count", n_splits, 1, MAX_COUNT)
    _wholes(facts, "leaf_count", n_leaves, 1, MAX_COUNT)
    if not _DECISIONS.issuperset(_wholes(facts, "decision_type", n_splits, 0, 10)):
        raise _damaged("a split that is not by a number")
    children = [
        _wholes(facts, name, n_splits, -n_leaves, n_splits - 1) for name in ("left_child", "right_child")
    ]
    _check_shape(*children)
    _numbers(facts, "threshold", n_splits, LARGEST_THRESHOLD)
    _numbers(facts, "leaf_value", n_leaves, LARGEST_LEAF)
    lines = {"num_leaves": str(n_leaves), "num_cat": "0"}
    lines |= {name: facts.get(name, "") for name in (*_SPLITS, *_LEAVES)}
    return "\n".join(
        f"{name}={value}" for name, value in (lines | {"is_linear": "0", "shrinkage": "1"}).items()
    )


def _check_shape(left: Sequence[int], right: Sequence[int]) -> None:
    """Every split but the root, and every leaf, hangs in one place; none is too deep."""
    depths = {0: 1}
    for split in range(len(left)):
        depth = depths.get(split)
        if depth is None or depth > MAX_DEPTH:  # LightGBM numbers splits as it makes them: parents go first
            raise _damaged("a split that hangs nowhere, or too deep")
        for child in (left[split], right[split]):
            if child in depths or 0 <= child <= split:
                raise _damaged("a child that hangs in two places")
            depths[child] = depth + 1
    n_children = 2 * len(left)
    if len(depths) != n_children + 1:
        raise _damaged("a leaf that hangs nowhere")


def _facts(text: str) -> dict[str, str]:
    """Lines ``name=value`` by name."""
    facts: dict[str, str] = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and name in facts:
            raise _damaged(f"{name!r:.20} twice")
        if equals:
            facts[name] = value
    return facts


def _wholes(facts: Mapping[str, str], name: str, count: int, least: int, most: int) -> list[int]:
    """So many whole numbers within limits."""
    words = _words(facts, name, count)
    if not all(_WHOLE.fullmatch(word) for word in words):
        raise _damaged(f"{name} that are no whole numbers")
    numbers = [int(word) for word in words]
    if any(not least <= number <= most for number in numbers):
        raise _damaged(f"{name} outside {least} to {most}")
    return numbers


def _numbers(facts: Mapping[str, str], name: str, count: int, most: float) -> None:
    """So many numbers no larger than ``most``."""
    for word in _words(facts, name, count):
        if not _NUMBER.fullmatch(word) or not abs(float(word)) <= most:
            raise _damaged(f"{name} {word!r:.40}")


def _words(facts: Mapping[str, str], name: str, count: int) -> list[str]:
    value = facts.get(name, "")
    words = value.split(" ") if value else []
    if len(words) != count:
        raise _damaged(f"{len(words)} of {name} where {count} were due")
    return words


def _damaged(found: str) -> ArtifactError:
    return ArtifactError(
        f"lightgbm head cannot be restored (its trees have {found}): get the detector again or train it again"
    )
