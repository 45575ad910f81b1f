"""Everything that training leaves, as one frozen object: for judging, for files, for the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ghostbuster.arrays import AnyArray
from ghostbuster.decision.calibration import Calibration
from ghostbuster.decision.novelty import NoveltyLimits
from ghostbuster.decision.pair_slope import UNLEARNED, PairSlope
from ghostbuster.decision.percentiles import Percentiles
from ghostbuster.decision.thresholds import ByRegister, Threshold
from ghostbuster.errors import SettingError
from ghostbuster.heads.scorer import Scorer
from ghostbuster.registry import did_you_mean


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained detector, without its parameters.

    Attributes
    ----------
    scorer : Scorer
        Features, head and lexicon: a text to its raw score.
    calibration : Calibration
        Raw score to probability.
    novelty : NoveltyLimits
        Out-of-distribution limits: beyond them a text is not judged.
    thresholds : tuple of Threshold, one a rate
    register_thresholds : dict of str to tuple of Threshold
        Of registers (kinds of text) that have their own.
    percentiles : Percentiles or None
        Of the features of human training texts; the first files have none.
    classes : array of shape (2,)
        The user's own labels, human first.
    fingerprints : dict of str to str
        By source, of the language models whose scores it was trained on.
    manifest : dict
        What made it, fit for JSON.
    pairs : PairSlope
        Difference of two texts' log-odds to the probability that the first is the machine's.
    """

    scorer: Scorer
    calibration: Calibration
    novelty: NoveltyLimits
    thresholds: tuple[Threshold, ...]
    register_thresholds: ByRegister
    percentiles: Percentiles | None
    classes: AnyArray
    fingerprints: dict[str, str]
    manifest: dict[str, Any]
    pairs: PairSlope = UNLEARNED

    def threshold(self, rate: float) -> Threshold:
        """The threshold stored for a false-positive rate.

        Raises
        ------
        SettingError
            When there is none; it lists the rates that have one.
        """
        for threshold in self.thresholds:
            if threshold.rate == rate:
                return threshold
        known = ", ".join(f"{threshold.rate:g}" for threshold in self.thresholds)
        raise SettingError(f"max_fpr={rate:g} has no stored threshold; expected one of {known}")

    def for_register(self, name: str) -> Trained:
        """The same with a register's thresholds in place of those for every text.

        Raises
        ------
        SettingError
            When the register has no thresholds.
        """
        known = self.register_thresholds
        if name not in known:
            remedy = (
                did_you_mean(name, known)
                if known
                else "this detector has none: `ghostbuster calibrate` makes one"
            )
            raise SettingError(f"register {name!r} has no thresholds; {remedy}")
        return replace(self, thresholds=known[name])

    def with_thresholds(
        self, thresholds: tuple[Threshold, ...], by_register: ByRegister, facts: Mapping[str, Any]
    ) -> Trained:
        """The same with other thresholds, in the manifest too, and further facts there.

        Parameters
        ----------
        thresholds : tuple of Threshold
        by_register : dict of str to tuple of Threshold
        facts : mapping
            Entries added to the manifest.
        """
        manifest = {**self.manifest, **threshold_facts(thresholds, by_register), **facts}
        return replace(self, thresholds=thresholds, register_thresholds=by_register, manifest=manifest)


def threshold_facts(thresholds: tuple[Threshold, ...], by_register: ByRegister) -> dict[str, Any]:
    """What a manifest says of thresholds, as plain numbers."""
    return {
        "thresholds": [one.state() for one in thresholds],
        "register_thresholds": {
            name: [one.state() for one in of_register] for name, of_register in by_register.items()
        },
    }
