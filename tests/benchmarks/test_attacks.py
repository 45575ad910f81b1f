"""The attacks of the robustness benchmark: what each changes, how much, and that a seed repeats it."""

import string
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prose import EXAMPLES

pytest.importorskip("codespell_lib", reason="the attacks' spellings come from codespell")

from benchmarks.robustness.attacks import ATTACKS, LOOKALIKES, ZERO_WIDTH, attack, every_lookalike
from benchmarks.robustness.wordnet import DEFAULT_FOLDER, synonyms
from ghostbuster.detector.artifact import load_default
from ghostbuster.errors import InputError
from ghostbuster.text.prepare import prepare

TEXT = (
    "The committee organized a meeting in 1984, and an analyst believed that the color of the paper would be "
    "definitely changed. Nobody received the answer! Was it separate from the big house?"
)
needs_wordnet = pytest.mark.skipif(not DEFAULT_FOLDER.is_dir(), reason="WordNet's files are not installed")


@pytest.mark.parametrize("name", sorted(set(ATTACKS) - {"synonym"}))
def test_an_attack_repeats_itself_for_a_seed_and_differs_for_another(name):
    long = TEXT * 20
    assert attack(name, long, seed=1) == attack(name, long, seed=1)
    if ATTACKS[name].share < 1:
        assert attack(name, long, seed=1) != attack(name, long, seed=2)


def test_homoglyphs_replace_every_letter_that_has_one_and_no_other():
    changed = attack("homoglyph", TEXT)
    assert len(changed) == len(TEXT)
    assert all((old != new) == (old in LOOKALIKES) for old, new in zip(TEXT, changed, strict=True))


def test_homoglyphs_of_any_script_replace_every_letter_by_one_of_unicodes_confusables():
    known = every_lookalike()
    changed = attack("homoglyph, any script", TEXT)
    assert len(changed) == len(TEXT)
    assert all(
        new in known.get(old, ()) or (new == old and not known.get(old))
        for old, new in zip(TEXT, changed, strict=True)
    )
    assert len({c for c in changed if not c.isascii()}) > 2 * len(LOOKALIKES)


def test_zero_width_marks_follow_every_character():
    assert attack("zero width", "ab c") == ZERO_WIDTH.join("ab c") + ZERO_WIDTH


def test_numbers_keep_their_length_and_change_nothing_else():
    changed = attack("number", "In 1984, 7 of 10.")
    assert [c if c not in string.digits else "#" for c in changed] == list("In ####, # of ##.")


def test_about_half_of_the_articles_go_and_nothing_else():
    text = "the cat saw a dog and an owl. " * 200
    changed = Counter(attack("article deletion", text).split())
    assert changed["cat"] == changed["dog"] == changed["saw"] == changed["and"] == 200
    gone = 600 - changed["the"] - changed["a"] - changed["an"]
    assert abs(gone - 300) < 4 * (600 * 0.25) ** 0.5  # four standard deviations of the binomial


def test_misspellings_come_from_the_dictionary_and_keep_capitals():
    long = "Received separate. " * 300
    words = Counter(attack("misspelling", long).replace(".", "").split())
    wrong = 600 - words["Received"] - words["separate"]
    assert abs(wrong - 120) < 4 * (600 * 0.16) ** 0.5
    assert words["Recieved"] > 0
    assert not any(word.startswith("rec") for word in words)


def test_british_spelling_takes_the_place_of_american():
    assert attack("alternative spelling", "The color was organized.") == "The colour was organised."


def test_swapped_case_touches_one_word_in_twenty():
    long = "word " * 4000
    swapped = Counter(attack("upper and lower", long).split())["WORD"]
    assert abs(swapped - 200) < 4 * (4000 * 0.05 * 0.95) ** 0.5


@pytest.mark.parametrize("name", [name for name, row in ATTACKS.items() if row.undone])
def test_canonicalisation_undoes_what_the_table_says_it_undoes(name):
    assert prepare(attack(name, TEXT)).text == prepare(TEXT).text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("homoglyph", "look-alikes of Latin letters were replaced"),
        ("homoglyph, any script", "look-alikes of Latin letters were replaced"),
        ("zero width", "invisible marks were removed"),
        ("white space", "its words are broken by spaces"),
    ],
)
def test_the_verdict_names_what_it_found_of_an_attack(name, said):
    text = (EXAMPLES / "machine.txt").read_text("utf-8")
    before, after = load_default().judge([text, attack(name, text)])
    assert said in " ".join(after.reasons)
    assert said not in " ".join(before.reasons)
    if ATTACKS[name].undone:
        assert (after.label, after.probability) == (before.label, before.probability)
    else:
        assert after.label == "unsure"


@given(st.text())
def test_no_attack_fails_on_any_text(text):
    for name in set(ATTACKS) - {"synonym"}:
        attack(name, text)


@needs_wordnet
def test_a_synonym_shares_the_commonest_sense_of_its_word():
    known = synonyms(DEFAULT_FOLDER)
    assert known["big"] == ("large",)
    assert "auto" in known["car"]


def test_missing_wordnet_is_named_with_the_remedy(tmp_path):
    with pytest.raises(InputError, match="install wordnet-base"):
        synonyms(tmp_path)
