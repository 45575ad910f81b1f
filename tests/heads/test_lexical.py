import math

import numpy as np
import pytest
from prose import labelled, passages
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from ghostbuster.errors import ArtifactError
from ghostbuster.heads.lexicon import Lexicon, terms


def by_hand():
    return Lexicon(("cat", "sat", "the cat"), np.array([2.0, 1.0, 3.0]), np.array([0.5, -1.0, 2.0]), 0.25)


def test_terms_are_words_marks_and_neighbours_in_lower_case():
    assert list(terms("The cat, sat")) == ["the", "cat", ",", "sat", "the cat", "cat ,", ", sat"]


def test_a_score_is_the_length_one_tfidf_weights_times_their_coefficients():
    # cat twice: (1 + ln 2) * 2; sat once: 1; "the cat" once: 3; "the" is unknown
    cat, sat, pair = (1 + math.log(2)) * 2, 1.0, 3.0
    length = math.sqrt(cat**2 + sat**2 + pair**2)
    expected = (0.5 * cat - 1.0 * sat + 2.0 * pair) / length + 0.25
    assert by_hand().raw_score(["The cat sat. Cat!"]) == pytest.approx([expected])


def test_contributions_and_the_baseline_add_up_to_the_score():
    parts = by_hand().contributions("The cat sat.")
    assert [term for term, _, _ in parts] == ["cat", "sat", "the cat"]
    total = sum(added for _, _, added in parts) + 0.25
    assert by_hand().raw_score(["The cat sat."]) == pytest.approx([total])


@pytest.mark.parametrize("text", ["", "nothing known here"])
def test_a_text_without_known_terms_scores_the_baseline(text):
    assert by_hand().raw_score([text]).tolist() == [0.25]


def test_fitted_scores_equal_those_of_scikit_learn_on_texts_not_seen():
    texts = passages(40, 40)
    y = np.arange(40) % 2
    vectorizer = TfidfVectorizer(
        token_pattern=r"\w+|[^\w\s]", ngram_range=(1, 2), sublinear_tf=True, min_df=2, max_features=30_000
    )
    model = LogisticRegression(C=5.0, max_iter=1000, tol=1e-6)
    model.fit(vectorizer.fit_transform(texts), y)
    unseen = passages(5, 60, seed=1)
    lexicon = Lexicon.fit(texts, y.astype(float), np.ones(40))
    expected = model.decision_function(vectorizer.transform(unseen))
    assert lexicon.raw_score(unseen) == pytest.approx(expected, abs=1e-3)


def test_a_text_weighed_nothing_teaches_nothing():
    texts, y, _ = labelled(12, 40)
    weights = np.ones(len(texts))
    weights[0] = 0.0
    flipped = np.array(y, dtype=float)
    flipped[0] = 1.0
    kept = Lexicon.fit(texts, np.array(y, dtype=float), weights)
    assert Lexicon.fit(texts, flipped, weights).raw_score(texts) == pytest.approx(kept.raw_score(texts))


def test_state_gives_back_the_same_scores():
    lexicon = by_hand()
    again = Lexicon.from_state(lexicon.state())
    assert again.terms == lexicon.terms
    assert again.raw_score(["The cat sat."]).tolist() == lexicon.raw_score(["The cat sat."]).tolist()


def test_terms_and_weights_that_differ_in_number_are_refused():
    with pytest.raises(ArtifactError, match="differ in number"):
        Lexicon.from_state({**by_hand().state(), "terms": "cat\nsat"})
