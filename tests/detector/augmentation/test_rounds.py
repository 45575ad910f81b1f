"""Rounds: from seed texts alone, trained from scratch, within bounds, the same after being killed."""

import numpy as np
import pytest
from prose import passages

from ghostbuster.detector.augmentation.held_out_errors import HeldOut, Learner, held_out
from ghostbuster.detector.augmentation.journal import StepJournal
from ghostbuster.detector.augmentation.plan import Plan
from ghostbuster.detector.augmentation.prompts import Request
from ghostbuster.detector.augmentation.rounds import Task, augment
from ghostbuster.detector.classifier import GhostbusterClassifier
from ghostbuster.detector.params import Params
from ghostbuster.errors import InputError, SettingError
from ghostbuster.models.llama.writing.writer import Written
from ghostbuster.models.panel import open_panel
from ghostbuster.reading.read import read

SEEDS = passages(8, 50, seed=2)
Y = np.array([0, 1] * 4)


class Author:
    """A teacher that writes other words for each seed; it notes what it was asked."""

    def __init__(self):
        self.asked = []

    def write(self, request, seeds, sampling):  # noqa: ARG002
        self.asked.append(request)
        return [Written(self.text(seed), 50, finished=True) for seed in seeds]

    @staticmethod
    def text(seed):
        rng = np.random.default_rng(seed)
        words = rng.choice(["the", "of", "and", "bee", "oak", "ran", "sang", "hill", "rain", "was", "in"], 60)
        return " ".join(f"{word}{i if word in {'bee', 'oak'} else ''}" for i, word in enumerate(words)) + "."


class Killed(BaseException):
    pass


class KilledAfter:
    """Steps of which some are kept, then the run ends."""

    def __init__(self, journal, n_steps):
        self.journal, self.left = journal, n_steps

    def steps(self):
        return self.journal.steps()

    def add(self, step):
        if not self.left:
            raise Killed
        self.left -= 1
        self.journal.add(step)


class Learning:
    """Everything a machine wrote is missed; the later, the less surely. It notes what it learned from."""

    def __init__(self):
        self.seen = []

    def __call__(self, new):
        self.seen.append([one.text for one in new])
        return HeldOut(np.linspace(0.1, 0.3, 8), np.zeros(8, bool), np.ones(8, bool))


def done(tmp_path, plan, learn=None, author=None, **options):
    learn, author = learn or Learning(), author or Author()
    with StepJournal(tmp_path / "out.csv", {"plan": "p"}) as journal:
        made = augment(Task(SEEDS, Y, plan, **options), learn, author, journal)
        journal.discard()
    return made, learn, author


def test_only_wrong_seed_texts_are_shown_the_most_wrong_first_and_each_round_learns_from_all(tmp_path):
    made, learn, author = done(tmp_path, Plan(rounds=2, per_text=2, max_texts=16))
    machines = [SEEDS[i] for i in (1, 3, 5, 7)]
    assert author.asked == [Request().about(text) for text in machines] * 2
    assert [len(seen) for seen in learn.seen] == [0, 8]
    assert learn.seen[1] == [one.text for one in made.texts if one.round == 1]
    assert [(one.parent, one.round) for one in made.texts] == [
        (parent, number) for number in (1, 2) for parent in (1, 3, 5, 7) for _ in range(2)
    ]
    assert len({one.seed for one in made.texts}) == 16
    assert made.texts[0].prompt == Request().about(SEEDS[1])
    assert made.stopped == "max_texts"
    assert [one["kept"] for one in made.rounds] == [8, 8]
    assert made.n_tokens == 16 * 50


@pytest.mark.parametrize(
    ("bounds", "n_texts", "stopped"),
    [
        ({"max_texts": 3}, 3, "max_texts"),
        ({"max_tokens": 150}, 4, "max_tokens"),
        ({"max_minutes": 1e-12}, 2, "max_minutes"),
    ],
)
def test_bounds_end_it(tmp_path, bounds, n_texts, stopped):
    made, _, _ = done(tmp_path, Plan(per_text=2, **bounds))
    assert len(made.texts) == n_texts
    assert made.stopped == stopped
    assert made.n_tokens >= 50 * n_texts


def test_killed_after_any_step_it_goes_on_to_the_same_texts(tmp_path):
    plan = Plan(rounds=2, per_text=2, max_texts=16)
    whole, _, _ = done(tmp_path, plan)
    for n_steps in range(10):
        folder = tmp_path / str(n_steps)
        folder.mkdir()
        journal = StepJournal(folder / "out.csv", {"plan": "p"})
        with pytest.raises(Killed):
            augment(Task(SEEDS, Y, plan), Learning(), Author(), KilledAfter(journal, n_steps))
        journal.close()
        author = Author()
        again, _, _ = done(folder, plan, author=author)
        assert again.texts == whole.texts
        assert len(author.asked) == 8 - max(0, n_steps - 1 - (n_steps > 5))


def test_a_journal_cut_anywhere_is_gone_on_with(tmp_path):
    plan = Plan(rounds=1, per_text=2, max_texts=8)
    with StepJournal(tmp_path / "out.csv", {"plan": "p"}) as journal:
        whole = augment(Task(SEEDS, Y, plan), Learning(), Author(), journal)
    path = tmp_path / "out.csv.partial"
    data = path.read_bytes()
    for end in range(0, len(data), 97):
        path.write_bytes(data[:end])
        with StepJournal(tmp_path / "out.csv", {"plan": "p"}) as journal:
            assert augment(Task(SEEDS, Y, plan), Learning(), Author(), journal).texts == whole.texts


def test_a_journal_of_other_work_is_refused(tmp_path):
    with StepJournal(tmp_path / "out.csv", {"teacher": "a"}) as journal:
        journal.add({"step": "errors", "round": 1, "parents": [], "figures": {}})
        with pytest.raises(InputError, match="being written by another process"):
            StepJournal(tmp_path / "out.csv", {"teacher": "a"})
    with pytest.raises(SettingError, match="another teacher"):
        StepJournal(tmp_path / "out.csv", {"teacher": "b"})
    (tmp_path / "out.csv.partial").write_text("ghostbuster journal 1 {}\n")
    with pytest.raises(InputError, match="no journal of augment"):
        StepJournal(tmp_path / "out.csv", {"teacher": "a"})


def test_lines_that_are_no_steps_end_a_journal(tmp_path):
    with StepJournal(tmp_path / "out.csv", {}) as journal:
        journal.add({"step": "errors", "round": 1, "parents": [], "figures": {}})
        for bad in ([1], {"step": "other"}, {"step": "errors"}, "x", None):
            journal.add(bad)
    with StepJournal(tmp_path / "out.csv", {}) as journal:
        assert len(journal.steps()) == 1


def test_where_nothing_is_wrong_nothing_is_asked(tmp_path):
    right = HeldOut(Y * 0.9, Y == 1, np.ones(8, bool))
    made, _, author = done(tmp_path, Plan(), learn=lambda _new: right)
    assert (made.texts, made.stopped, author.asked) == ([], "nothing wrong", [])
    assert made.rounds[0]["found"] == 1
    assert made.rounds[0]["accused"] == 0


def test_what_is_wrong_takes_turns_over_sources_and_leaves_short_texts_out():
    y = np.array([1, 1, 1, 0, 0, 1])
    said = HeldOut(
        np.array([0.1, 0.2, 0.3, 0.99, 0.1, 0.05]),
        np.array([False, False, False, True, False, False]),
        np.array([True, True, True, True, True, False]),
    )
    assert said.wrong(y, "missed") == [0, 1, 2]
    assert said.wrong(y, "accused") == [3]
    assert said.wrong(y, "both") == [3, 0, 1, 2]
    assert said.wrong(y, "missed", np.array(["a", "a", "b", "b", "b", "b"])) == [0, 2, 1]
    assert said.figures(y)["found"] == 0
    assert said.figures(y)["accused"] == 0.5


@pytest.mark.parametrize(
    "options",
    [
        {"rounds": 0},
        {"per_text": 65},
        {"max_texts": 0},
        {"max_tokens": -1},
        {"max_minutes": 0},
        {"max_minutes": float("nan")},
        {"seed": -1},
        {"errors": "mised"},
    ],
)
def test_a_plan_out_of_range_is_refused(options):
    with pytest.raises(SettingError, match=r"expected|did you mean"):
        Plan(**options)


def test_new_texts_are_learned_from_beside_their_parents_and_held_out_with_them():
    human = passages(12, 60, seed=4)
    texts = [*human, *(" ".join(sorted(text.split())) for text in human)]
    y = np.repeat([0, 1], 12)
    params = Params(space="zeroshot", max_features=3, min_tokens=20, n_folds=3)
    groups = np.tile(np.arange(12), 2)
    panel = open_panel()
    learner = Learner(params, panel, y, groups, None, read(texts, panel))
    first = learner.learn([], [])
    plain = GhostbusterClassifier(**vars(params)).fit(texts, y, groups)
    assert np.array_equal(first.probability, held_out(plain, read(texts, panel), 24).probability)
    new = [Author.text(1), Author.text(2)]
    found = learner.learn(new, [12, 12])
    assert found.probability.shape == (24,)
    assert len(learner.reading.prepared) == 26
    both = GhostbusterClassifier(**vars(params)).fit([*texts, *new], [*y, 1, 1], [*groups, 0, 0])
    assert np.array_equal(found.probability, both.held_out_probability_[:24])
