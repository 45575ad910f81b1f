from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import VECTOR_NAMES, chains, features, vectors, vectors_of_lengths

from ghostbuster.arrays import Vectors
from ghostbuster.errors import FeatureError, SettingError
from ghostbuster.features import evaluate as evaluation
from ghostbuster.features.chains import Apply, Models, Vector
from ghostbuster.features.duplicates import duplicate_key
from ghostbuster.features.evaluate import evaluate, evaluate_all
from ghostbuster.features.expression import Feature
from ghostbuster.features.reducers import REDUCERS
from ghostbuster.features.zero_shot import STATISTICS

# printed forms that artifacts may hold: none may ever change
FOR_EVER = [
    "strong.logprob s-avg",
    "trigram.prob v-add unigram.prob v-> strong.prob s-var",
    "weak.prob v-ratio unigram.prob u-skip-25 s-p10",
    "strong.logprob v-sub weak.logprob v-div strong.entropy s-win-max",
    "stat-loglikelihood weak",
    "stat-fast-detectgpt strong",
    "stat-fast-detectgpt strong weak",
    "stat-binoculars weak strong",
    "stat-lrr strong",
    "strong.logprob s-diff2-entropy",
    "strong.logprob v-add strong.entropy v-over-root strong.varentropy s-under-2",
    "strong.lookback v-sub strong.logprob s-p50",
    "stat-dna-detectllm strong",
    "stat-lastde weak",
]


@given(features())
def test_what_is_printed_parses_back_to_the_same_feature(feature):
    assert Feature.parse(str(feature)) == feature


@pytest.mark.parametrize("text", FOR_EVER)
def test_expressions_of_old_artifacts_still_parse_and_print_the_same(text):
    assert str(Feature.parse(text)) == text


def test_white_space_between_words_does_not_matter():
    assert Feature.parse("  strong.logprob\n v-sub\tweak.logprob  s-avg ") == Feature.parse(
        "strong.logprob v-sub weak.logprob s-avg"
    )


def test_a_chain_is_read_from_left_to_right():
    made = Vectors({"a.x": np.array([7.0]), "a.y": np.array([1.0]), "a.z": np.array([2.0])}, np.array([0, 1]))
    assert evaluate(Feature.parse("a.x v-sub a.y v-div a.z s-avg"), made).tolist() == [3.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is no feature; expected vector"),
        ("s-avg", "'s-avg' is no feature"),
        ("strong.logprob s-agv", "ends in 's-agv', no reducer; did you mean 's-avg'"),
        ("strong.logprob v-sum weak.logprob s-avg", "no op 'v-sum'; did you mean 'v-sub'"),
        ("strong.logprob weak.logprob s-avg", "an op or a vector too many"),
        ("strong v-sub weak.logprob s-avg", "'strong' is no vector; expected source.channel"),
        ("strong.logprob u-skip-24 s-avg", "no skip 'u-skip-24' before 's-avg'; did you mean 'u-skip-25'"),
        ("u-skip-25 s-avg", "'u-skip-25' is no vector; expected source.channel"),
        ("stat-lr strong", "no statistic 'stat-lr'; did you mean 'stat-lrr'"),
        ("stat-lrr", "names 0 sources"),
        ("stat-lrr strong weak", "stat-lrr strong weak names 2 source.s.; expected 1"),
        ("stat-binoculars strong", "names 1 source.s.; expected 2"),
        ("stat-binoculars strong strong", "'strong' cannot be scored against 'strong'"),
        ("stat-binoculars strong unigram", "expected the two language models: weak and strong"),
        ("stat-lrr Strong", "'Strong' is no source"),
    ],
)
def test_a_bad_expression_is_refused_with_the_culprit_and_the_remedy(text, message):
    with pytest.raises(FeatureError, match=message):
        Feature.parse(text)


def test_parts_that_fit_no_table_are_refused_when_made():
    with pytest.raises(FeatureError, match="no op 'v-pow'"):
        Apply(Vector("a.x"), "v-pow", Vector("a.y"))
    with pytest.raises(FeatureError, match="no reducer 's-mode'"):
        Feature(Vector("a.x"), "s-mode")
    with pytest.raises(FeatureError, match="no skip"):
        Feature(Models("strong"), "stat-lrr", "u-skip-25")


def test_a_missing_vector_is_named_with_the_nearest_there_is():
    made = vectors_of_lengths([3])
    message = "'strong.logprobs s-avg' reads 'strong.logprobs': did you mean 'strong.logprob'"
    with pytest.raises(FeatureError, match=message):
        evaluate(Feature.parse("strong.logprobs s-avg"), made)


def test_fewer_than_one_thread_is_refused():
    with pytest.raises(SettingError, match="n_jobs is 0; expected at least 1"):
        evaluate_all([], vectors_of_lengths([3]), n_jobs=0)


@given(st.lists(features(), min_size=1, max_size=12), vectors())
def test_many_features_at_once_are_each_alone(wanted, made):
    together = evaluate_all(wanted, made)
    for column, feature in enumerate(wanted):
        assert np.array_equal(together[:, column], evaluate(feature, made))


@given(st.lists(features(), min_size=1, max_size=6), vectors(), st.randoms())
def test_a_text_has_the_same_values_whoever_its_neighbours_are(wanted, made, random):
    order = list(range(made.n_texts))
    random.shuffle(order)
    together = evaluate_all(wanted, made)
    assert np.array_equal(evaluate_all(wanted, made.take(order)), together[order])
    for i in order:
        assert np.array_equal(evaluate_all(wanted, made.take([i]))[0], together[i])


@given(st.lists(features(), min_size=1, max_size=6), vectors(min_texts=3), st.integers(2, 3))
def test_blocks_and_threads_change_nothing(wanted, made, n_jobs):
    expected = evaluate_all(wanted, made)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "BLOCK_UNITS", 20)
        assert np.array_equal(evaluate_all(wanted, made), expected)
        assert np.array_equal(evaluate_all(wanted, made, n_jobs=n_jobs), expected)


@given(features(), vectors())
def test_float32_results_are_the_rounded_float64_ones(feature, made):
    exact = evaluate_all([feature], made)
    assert np.array_equal(evaluate_all([feature], made, dtype=np.float32), exact.astype(np.float32))


def test_no_features_and_no_texts_make_empty_matrices():
    made = vectors_of_lengths([3, 4])
    assert evaluate_all([], made).shape == (2, 0)
    nothing = vectors_of_lengths([])
    assert evaluate_all([Feature.parse("strong.prob s-avg")], nothing).shape == (0, 1)


def test_a_shared_prefix_is_computed_once(monkeypatch):
    calls = []
    counted = {name: _counting(op, calls) for name, op in evaluation.OPS.items()}
    monkeypatch.setattr(evaluation, "OPS", counted)
    texts = [
        f"strong.prob v-mul weak.prob{rest} {reducer}"
        for rest in ("", " v-add unigram.prob", " v-div trigram.prob")
        for reducer in REDUCERS
    ]
    evaluate_all([Feature.parse(text) for text in texts], vectors_of_lengths([9, 5]))
    assert sorted(calls) == ["v-add", "v-div", "v-mul"]


def _counting(op, calls):
    def apply(a, b):
        calls.append(op.name)
        return op.apply(a, b)

    return type(op)(op.name, apply, op.formula, op.binary)


def formulas(v):
    """Each statistic of one text, written out from its paper; ``v(name)`` is a channel as float64."""
    s, w = "strong", "weak"
    return {
        "stat-loglikelihood strong": np.mean(v(s, "logprob")),
        "stat-rank strong": np.mean(v(s, "rank")),
        "stat-logrank strong": np.mean(np.log(v(s, "rank"))),
        "stat-entropy strong": np.mean(v(s, "entropy")),
        # DetectLLM: |sum log p| / |sum log r|
        "stat-lrr weak": abs(np.sum(v(w, "logprob"))) / abs(np.sum(np.log(v(w, "rank")))),
        # Fast-DetectGPT, scoring = reference: mu = -entropy, sigma^2 = varentropy
        "stat-fast-detectgpt strong": np.sum(v(s, "logprob") - -v(s, "entropy"))
        / np.sqrt(np.sum(v(s, "varentropy"))),
        "stat-fast-detectgpt strong weak": np.sum(v(s, "logprob") - -v(s, "cross_entropy"))
        / np.sqrt(np.sum(v(s, "cross_varentropy"))),
        # Binoculars: log-perplexity of the performer over cross-perplexity of observer and performer
        "stat-binoculars weak strong": -np.mean(v(w, "logprob")) / np.mean(v(w, "cross_entropy")),
        # DNA-DetectLLM: perplexities before and after every token is mended, over twice the cross-perplexity
        "stat-dna-detectllm weak strong": -(np.mean(v(w, "logprob")) + np.mean(v(w, "top_logprob")))
        / (2 * np.mean(v(w, "cross_entropy"))),
        "stat-dna-detectllm strong": -(np.mean(v(s, "logprob")) + np.mean(v(s, "top_logprob")))
        / (2 * np.mean(v(s, "entropy"))),
        "stat-lastde strong": lastde(v(s, "logprob")),
        "stat-where-unsure strong": np.average(v(s, "logprob"), weights=v(s, "entropy")),
        "stat-where-sure weak": np.average(v(w, "logprob"), weights=np.exp(-v(w, "entropy"))),
    }


def lastde(logprob):
    """Mean log-likelihood over the spread, at five scales, of how evenly cosines of patterns are binned."""
    n_bins = 10 * logprob.size
    entropies = []
    for scale in range(1, 6):
        means = [np.mean(logprob[i : i + scale]) for i in range(logprob.size - scale + 1)]
        patterns = [np.array(means[i : i + 3]) for i in range(len(means) - 2)]
        cosines = [a @ b / np.sqrt((a @ a) * (b @ b)) for a, b in pairwise(patterns)]
        shares = np.histogram(cosines, n_bins, (-1, 1))[0] / max(len(cosines), 1)
        entropies.append(-sum(p * np.log(p) for p in shares if p) / np.log(n_bins))
    spread = np.std(entropies, ddof=1)
    return np.mean(logprob) / spread if spread > 1e-6 else 0.0


@given(vectors(min_texts=1, max_texts=3, min_units=5))
def test_statistics_equal_their_papers_formulas(made):
    for i in range(made.n_texts):
        text = made.take([i])
        expected = formulas(lambda s, c, text=text: text.channels[f"{s}.{c}"].astype(np.float64))
        for name, value in expected.items():
            assert evaluate(Feature.parse(name), text)[0] == pytest.approx(value, rel=1e-5)


def test_every_statistic_has_a_formula_to_be_checked_against():
    made = vectors_of_lengths([5])
    checked = [Feature.parse(t) for t in formulas(lambda s, c: made.channels[f"{s}.{c}"].astype(float))]
    rows = {(f.reducer, 2 if f.expression.reference else 1) for f in checked}
    assert rows == set(STATISTICS)


@pytest.mark.parametrize("key", STATISTICS)
def test_a_text_without_tokens_has_the_value_the_statistics_row_states(key):
    name, n_sources = key
    feature = Feature(Models(*("strong", "weak")[:n_sources]), name)
    assert evaluate(feature, vectors_of_lengths([0, 4]))[0] == STATISTICS[key].empty


@pytest.mark.parametrize("key", STATISTICS)
def test_statistics_of_a_certain_model_are_finite(key):
    name, n_sources = key
    certain = {n: np.full(3, float(n.endswith("rank") and "log" not in n)) for n in VECTOR_NAMES}
    made = Vectors(certain, np.array([0, 3]))
    assert np.isfinite(evaluate(Feature(Models(*("strong", "weak")[:n_sources]), name), made)).all()


def names_once(chain):
    names = [name for _, name in chain.path]
    return len(set(names)) == len(names)  # what cancels leaves rounding, and rounding has any sign


@given(
    st.lists(chains(VECTOR_NAMES[:4], 4).filter(names_once), min_size=2, max_size=30), st.integers(0, 1000)
)
def test_twins_have_equal_opposite_or_swapped_values(made_chains, seed):
    made = vectors_of_lengths([40], seed)
    first = {}
    for chain in made_chains:
        other = first.setdefault(duplicate_key(chain), chain)
        a, b = (units(c, made) for c in (chain, other))
        near = 1e-5 * np.abs(b).max()
        same = any(np.allclose(a, c, rtol=1e-5, atol=near) for c in (b, -b))
        swapped = set(np.concatenate([a, b])) <= {0.0, 1.0} and not np.any(a * b)  # both 0 where they tie
        assert same or swapped, f"{chain} and {other} are no twins"


def units(chain, made):
    """The chain's vector, unit by unit: each unit as a text of its own."""
    alone = Vectors(dict(made.channels), np.arange(made.offsets[-1] + 1))
    return evaluate(Feature(chain, "s-avg"), alone)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a.x v-add a.y", "a.y v-add a.x"),
        ("a.x v-sub a.y", "a.y v-sub a.x"),
        ("a.x v-add a.y v-sub a.z", "a.x v-sub a.z v-add a.y"),
        ("a.x v-mul a.y v-mul a.z", "a.z v-mul a.y v-mul a.x"),
        ("a.x v-sub a.y v-mul a.z", "a.y v-sub a.x v-mul a.z"),
        ("a.x v-div a.y v-mul a.z", "a.x v-mul a.z v-div a.y"),
        ("a.x v-> a.y", "a.x v-< a.y"),
        ("a.x v-> a.y", "a.y v-> a.x"),
        ("a.x v-add a.y v-> a.z", "a.y v-add a.x v-< a.z"),
        ("a.x v-mul a.y v-div a.y", "a.x"),
    ],
)
def test_chains_equal_by_algebra_sign_or_complement_are_twins(one, other):
    keys = [duplicate_key(Feature.parse(f"{text} s-avg").expression) for text in (one, other)]
    assert keys[0] == keys[1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a.x v-add a.y", "a.x v-sub a.y"),
        ("a.x v-div a.y", "a.y v-div a.x"),
        ("a.x v-sub a.y v-add a.z", "a.y v-sub a.x v-add a.z"),
        ("a.x v-mul a.y v-add a.z", "a.x v-mul a.z v-add a.y"),
        ("a.x v-ratio a.y", "a.y v-ratio a.x"),
        ("a.x v-> a.y v-add a.z", "a.y v-> a.x v-add a.z"),
    ],
)
def test_chains_that_differ_are_no_twins(one, other):
    keys = [duplicate_key(Feature.parse(f"{text} s-avg").expression) for text in (one, other)]
    assert keys[0] != keys[1]


def one_text(**channels):
    """One text's vectors of the source ``strong``, and the same of ``weak``."""
    made = {f"{s}.{name}": np.array(values) for s in ("strong", "weak") for name, values in channels.items()}
    return Vectors(made, np.array([0, len(next(iter(channels.values())))]))


def test_statistics_near_the_least_divisor_by_hand():
    def value(name, **channels):
        return evaluate(Feature.parse(name), one_text(**channels))[0]

    # (-3 + 2) / sqrt(1/4): a variance below 1 is taken as it is
    few = {"logprob": [-1.0, -2.0], "entropy": [1.5, 0.5], "varentropy": [0.25, 0.0]}
    assert value("stat-fast-detectgpt strong", **few) == pytest.approx(-2.0)
    certain = {"logprob": [-1.0, -2.0], "entropy": [0.0, 0.0], "varentropy": [0.0, 0.0]}
    assert value("stat-fast-detectgpt strong", **certain) == 0.0
    # every token the likeliest: 3 / log 2; one of rank 2: 3 / log 2 too
    assert value("stat-lrr strong", logprob=[-1.0, -2.0], logrank=[0.0, 0.0]) == pytest.approx(3 / np.log(2))
    assert value("stat-lrr strong", logprob=[-1.0, -2.0], logrank=[0.0, np.log(2)]) == pytest.approx(
        3 / np.log(2)
    )
    # 3 / 2 over 1 / 4; and over the least there is, a millionth a token
    assert value("stat-binoculars strong weak", logprob=[-1.0, -2.0], cross_entropy=[0.5, 0.0]) == 6.0
    assert value(
        "stat-binoculars strong weak", logprob=[-1.0, -2.0], cross_entropy=[0.0, 0.0]
    ) == pytest.approx(1.5e6)
