import inspect
import io
import json
import pickle

import numpy as np
import pandas as pd
import pytest
from prose import labelled, passages
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ghostbuster import GhostbusterClassifier, GhostbusterTransformer
from ghostbuster.errors import ArtifactError, InputError, SettingError
from ghostbuster.models.panel_choice import panel_of
from ghostbuster.reading.read import read

SMALL = {"space": "zeroshot", "max_features": 3, "n_folds": 3, "min_tokens": 20}


@pytest.fixture(scope="module")
def data():
    return labelled(20)


@pytest.fixture(scope="module")
def fitted(data):
    texts, y, groups = data
    return GhostbusterClassifier(**SMALL).fit(texts, y, groups)


def test_it_tells_prose_from_shuffled_words_it_has_not_seen(fitted):
    texts, y, _ = labelled(30)
    unseen = slice(20, 30)
    held_out = texts[:30][unseen] + texts[30:][unseen]
    assert fitted.score(held_out, y[:30][unseen] + y[30:][unseen]) > 0.9


def test_probabilities_are_two_columns_that_sum_to_one(fitted, data):
    probabilities = fitted.predict_proba(data[0][:5])
    assert probabilities.shape == (5, 2)
    assert np.all((probabilities > 0) & (probabilities < 1))
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(5))


@pytest.mark.parametrize("kind", [list, tuple, np.array, pd.Series, lambda t: np.array(t, dtype=object)])
def test_any_sequence_of_texts_gives_the_same_probabilities(fitted, data, kind):
    assert np.array_equal(fitted.predict_proba(kind(data[0][:3])), fitted.predict_proba(data[0][:3]))


def test_a_text_scores_the_same_whatever_stands_beside_it(fitted, data):
    together = fitted.predict_proba(data[0])
    alone = np.concatenate([fitted.predict_proba([text]) for text in data[0][::7]])
    assert np.array_equal(together[::7], alone)


def test_the_same_seed_gives_the_same_detector_twice(fitted, data):
    texts, y, groups = data
    again = GhostbusterClassifier(**SMALL).fit(texts, y, groups)
    assert again.features_ == fitted.features_
    assert np.array_equal(again.predict_proba(texts), fitted.predict_proba(texts))


def test_fitting_again_forgets_the_first_fit(fitted, data):
    texts, y, groups = data
    classifier = clone(fitted).fit(texts, [1 - label for label in y], groups)
    classifier.fit(texts, y, groups)
    assert np.array_equal(classifier.predict_proba(texts), fitted.predict_proba(texts))


def test_fit_leaves_parameters_alone_and_clone_copies_them(data):
    classifier = GhostbusterClassifier(**SMALL)
    before = classifier.get_params()
    classifier.fit(data[0], data[1])
    assert classifier.get_params() == before == clone(classifier).get_params()


def test_pickling_keeps_every_probability(fitted, data):
    again = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(again.predict_proba(data[0]), fitted.predict_proba(data[0]))


def test_state_is_plain_and_gives_back_the_same_detector(fitted, data):
    state = fitted.state()
    json.dumps(state, default=lambda array: np.asarray(array).tolist())
    again = GhostbusterClassifier.from_state(state)
    assert np.array_equal(again.predict_proba(data[0]), fitted.predict_proba(data[0]))
    assert again.judge(data[0]) == fitted.judge(data[0])
    assert again.manifest_ == fitted.manifest_


def test_labels_come_back_in_the_words_they_were_given_in(data):
    texts, y, groups = data
    words = np.array(["human", "machine"])[y]
    classifier = GhostbusterClassifier(**SMALL).fit(texts, words, groups)
    assert classifier.classes_.tolist() == ["human", "machine"]
    assert set(classifier.predict(texts)) == {"human", "machine"}
    assert classifier.score(texts, words) > 0.9


def test_soft_labels_near_certainty_teach_the_same_as_hard_ones(fitted, data):
    texts, y, groups = data
    soft = GhostbusterClassifier(**SMALL).fit(texts, np.where(np.array(y) == 1, 0.999, 0.001), groups)
    assert np.array_equal(soft.predict(texts), fitted.predict(texts))


def test_a_teachers_probabilities_are_learned_and_the_promise_is_measured_on_the_certain_humans(fitted, data):
    texts, y, groups = data
    soft = np.where(np.array(y) == 1, 0.9, 0.2)
    taught = GhostbusterClassifier(**SMALL).fit(texts, soft, groups)
    assert {threshold.n_human for threshold in taught.thresholds_} == {20}  # none is certain: those below 0.5
    assert taught.manifest_["data"]["n_human"] == 20
    soft[:7] = 0.0
    taught = GhostbusterClassifier(**SMALL).fit(texts, soft, groups)
    assert {threshold.n_human for threshold in taught.thresholds_} == {7}
    machine = slice(20, 40)
    sure, doubting = (one.predict_proba(texts)[machine, 1].mean() for one in (fitted, taught))
    assert 0.7 < doubting < sure  # no surer than its teacher made it


def test_grid_search_and_cross_validation_take_it_as_any_classifier(data):
    texts, y, groups = data
    search = GridSearchCV(GhostbusterClassifier(**SMALL), {"max_features": [1, 2]}, cv=GroupKFold(2))
    search.fit(texts, y, groups=groups)
    assert search.best_score_ > 0.9
    scores = cross_val_score(GhostbusterClassifier(**SMALL), texts, y, groups=groups, cv=GroupKFold(2))
    assert scores.min() > 0.9


def test_the_transformer_feeds_any_pipeline_and_names_its_columns(data):
    texts, y, _ = data
    transformer = GhostbusterTransformer(space="zeroshot", max_features=3, n_folds=3).set_output(
        transform="pandas"
    )
    table = transformer.fit(texts, y).transform(texts)
    assert list(table.columns) == [str(feature) for feature in transformer.features_]
    pipeline = make_pipeline(
        clone(transformer).set_output(transform="default"), StandardScaler(), LogisticRegression()
    )
    assert pipeline.fit(texts, y).score(texts, y) > 0.9


def test_a_short_text_is_unsure_and_gets_no_number(fitted):
    (verdict,) = fitted.judge(["Far too short to say."])
    assert verdict.label == "unsure"
    assert np.isnan(verdict.probability)
    assert "too short" in verdict.reasons[0]


@pytest.mark.parametrize("text", ["", " \n\t "])
def test_an_empty_text_is_unsure_to_judge_and_refused_by_predict_proba(fitted, data, text):
    assert fitted.judge([data[0][0], text])[1].label == "unsure"
    with pytest.raises(InputError, match="text 1 is empty"):
        fitted.predict_proba([data[0][0], text])


def test_another_language_is_unsure_and_said_to_be_so(fitted):
    german = (
        "Als die Sonne am Abend hinter den Bergen verschwand, kehrten die Schäfer mit ihren Herden ins Dorf "
        "zurück, und aus den Schornsteinen der alten Häuser stieg der Rauch der Herdfeuer in die kühle Luft."
    )
    (verdict,) = fitted.judge([german])
    assert verdict.label == "unsure"
    assert "not the English prose" in verdict.reasons[0]


def test_evidence_names_chosen_features_and_words(fitted, data):
    (verdict,) = fitted.judge([data[0][0]])
    features = {str(feature) for feature in fitted.features_}
    assert 0 < len(verdict.evidence) <= 5
    assert all(one.feature in features or one.feature.startswith("words '") for one in verdict.evidence)


def test_evidence_says_in_words_what_it_measures_how_it_compares_and_which_way_it_speaks(fitted, data):
    judged = [one for verdict in fitted.judge(data[0]) for one in verdict.evidence]
    of_features = [one for one in judged if not one.feature.startswith("words ")]
    for one in judged:
        assert one.meaning.endswith(f"speaks for {'a machine' if one.contribution > 0 else 'a person'}")
    assert all("of people's texts, which" in one.meaning for one in of_features)
    assert len(of_features) < len(judged)
    first = GhostbusterClassifier.from_state({**fitted.state(), "percentiles": None})  # as the first files
    assert "people's texts" not in " ".join(one.meaning for one in first.judge(data[0][:1])[0].evidence)


def test_without_words_the_evidence_is_features_alone(data):
    texts, y, groups = data
    classifier = GhostbusterClassifier(**SMALL, lexical_weight=0).fit(texts, y, groups)
    assert classifier.trained_.scorer.lexicon is None
    (verdict,) = classifier.judge([texts[0]])
    assert {one.feature for one in verdict.evidence} <= {str(feature) for feature in classifier.features_}
    again = GhostbusterClassifier.from_state(classifier.state())
    assert np.array_equal(again.predict_proba(texts), classifier.predict_proba(texts))


def test_judging_no_texts_gives_no_verdicts(fitted):
    assert fitted.judge([]) == []


def test_held_out_thresholds_are_kept_for_each_rate_in_falling_order(fitted):
    values = [threshold.probability for threshold in fitted.thresholds_]
    assert values == sorted(values)
    assert all(threshold.n_human == 20 for threshold in fitted.thresholds_)


def test_the_manifest_is_json_and_names_models_data_and_features(fitted):
    manifest = json.loads(json.dumps(fitted.manifest_))
    assert manifest["data"]["n_human"] == manifest["data"]["n_machine"] == 20
    assert manifest["features"] == [str(feature) for feature in fitted.features_]
    assert {"llama-cpp-python", "numpy", "ghostbuster"} <= set(manifest["versions"])


def test_a_detector_refuses_other_models_than_its_own(fitted, data):
    state = fitted.state()
    other = GhostbusterClassifier.from_state(
        {**state, "fingerprints": {**state["fingerprints"], "strong": "0" * 64}}
    )
    with pytest.raises(ArtifactError, match="trained with another strong model: expected fingerprint 0000"):
        other.predict_proba(data[0][:1])


def test_sources_are_left_out_in_turn(data):
    texts, y, groups = data
    sources = np.array(["a", "b", "c", "d"])[np.array(groups) % 4]
    reading = read(texts, panel_of("embedded"))
    classifier = GhostbusterClassifier(**SMALL).fit_reading(reading, y, groups, sources)
    assert set(classifier.manifest_["data"]["sources"]) == {"a", "b", "c", "d"}
    assert classifier.predict(texts).tolist() == y


def test_an_unfitted_detector_says_so():
    with pytest.raises(NotFittedError, match="not fitted"):
        GhostbusterClassifier().predict_proba(["A text."])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"max_fpr": 0.02}, r"max_fpr=0.02; expected one of \(0.05, 0.01, 0.001\)"),
        ({"head": "svm"}, "head='svm' is unknown; expected one of: logistic, elastic-net, lightgbm"),
        ({"max_features": 0}, "max_features=0; expected 1 or more"),
        ({"min_tokens": 0}, "min_tokens=0; expected 1 or more"),
        ({"lexical_weight": 1.0}, "lexical_weight=1.0; expected 0 or more, and less than 1"),
        ({"n_folds": 1}, "n_folds=1; expected 2 or more"),
        ({"space": "defualt"}, "did you mean 'default'"),
        ({"criterion": "logloss"}, "did you mean 'log_loss'"),
        ({"panel": "embeded"}, "did you mean 'embedded'"),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_expected(data, params, message):
    with pytest.raises(SettingError, match=message):
        GhostbusterClassifier(**{**SMALL, **params}).fit(data[0], data[1])


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("one string", "got one str; expected a sequence of texts: wrap it in a list"),
        (["a", None], "text 1 is NoneType; expected str"),
        (["a", float("nan")], "text 1 is float; expected str"),
        (3, "got int; expected a sequence of texts"),
        ({"text": ["a"]}, "got dict, which would be read as its keys"),
        ({"a": 1}.keys(), "got dict_keys, which has no order"),
        ({"a", "b"}, "got set, which has no order"),
        (io.StringIO("two\nlines"), "got StringIO, which would be read line by line"),
        (np.array([["a", "b"]]), "text 0 is ndarray; expected str"),
        (np.array("a"), "got ndarray; expected a sequence"),
        (
            pd.DataFrame({"essay": ["a"]}),
            "no column of the DataFrame is called 'text'; expected one of 'essay'",
        ),
        (pd.DataFrame([["a", "b"]], columns=["text", "text"]), "two columns called 'text'"),
    ],
)
def test_what_is_no_sequence_of_texts_is_refused(fitted, texts, message):
    with pytest.raises(InputError, match=message):
        fitted.predict_proba(texts)
    with pytest.raises(InputError, match=message):
        fitted.judge(texts)


def test_a_data_frame_is_read_by_its_column_of_texts_and_a_generator_to_its_end(fitted):
    texts = passages(3, 60)
    expected = fitted.predict_proba(texts).tolist()
    table = pd.DataFrame({"id": [1, 2, 3], "text": texts})
    assert fitted.predict_proba(table).tolist() == expected
    assert fitted.predict_proba(one for one in texts).tolist() == expected
    assert [one.probability for one in fitted.judge(table)] == [row[1] for row in expected]


def test_code_is_unsure_whatever_the_detector_and_prose_beside_it_is_judged(fitted):
    code = inspect.getsource(json.decoder)[-3000:]
    lines = "\n".join(f"    values[{i}] = table[{i}] + offset({i});" for i in range(12))
    prose = "\n".join(passages(4, 80))
    alone, beside, prose_alone = fitted.judge([code, f"{prose}\n\n{lines}", prose])
    assert alone.label == "unsure"
    assert alone.reasons[0].startswith("not prose: it looks like program code")
    assert beside.probability == prose_alone.probability
    assert any(
        reason.endswith("words of program code were left out: the prose alone is judged")
        for reason in beside.reasons
    )


def test_score_takes_labels_in_another_form_than_at_training(fitted):
    texts, labels = passages(6, 60), [0, 1, 0, 1, 0, 1]
    as_numbers = fitted.score(texts, labels)
    assert as_numbers == np.mean(fitted.predict_proba(texts).argmax(axis=1) == labels)
    for words in (["human", "AI"], [False, True], ["0.0", "1.0"]):
        assert fitted.score(texts, np.array([words[label] for label in labels], dtype=object)) == as_numbers


def test_labels_are_checked_before_any_model_reads():
    with pytest.raises(InputError, match="no machine text"):
        GhostbusterClassifier(panel=("/nowhere/weak.gguf", "/nowhere/strong.gguf")).fit(
            passages(4, 30), [0] * 4
        )
