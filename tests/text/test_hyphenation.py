"""Words broken at the ends of lines: whole again, and compounds with their hyphens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghostbuster.text.hyphenation import is_one_word, join_hyphenated, words
from ghostbuster.text.prepare import prepare


@pytest.mark.parametrize(
    ("first", "second", "one"),
    [
        ("under", "stand", True),
        ("govern", "ment", True),
        ("well", "known", False),
        ("self", "esteem", False),
        ("long", "snouted", False),
        ("x", "raying", False),
        ("Anglo", "Saxon", False),
        ("SHOUT", "ING", True),
        ("Ger", "many", True),
        ("neuro", "plasticity", True),
    ],
)
def test_a_dictionary_tells_a_broken_word_from_a_compound(first, second, one):
    assert is_one_word(first, second) is one


def test_a_text_wrapped_with_hyphens_is_read_as_the_text_that_was_not():
    assert prepare("We under-\nstand the well-\nknown man, and the state-\nof-the-art.").text == (
        "We understand the well-known man, and the state-of-the-art."
    )


@pytest.mark.parametrize(
    "text", ["a dash -\nand more", "1914-\n1918", "a-b c-\n\nd", "- one\n- two", "so--\nthere"]
)
def test_hyphens_that_break_no_word_stay(text):
    assert join_hyphenated(text)[0] == text


def test_soft_hyphens_at_line_ends_break_words_of_any_kind():
    assert join_hyphenated("zyx\u00ad\nwvu")[0] == "zyxwvu"


@given(st.text(alphabet="ab-\n \u00ad", max_size=30))
def test_joining_leaves_letters_in_their_order(text):
    made, _ = join_hyphenated(text)
    assert [c for c in made if c.isalpha()] == [c for c in text if c.isalpha()]


def test_the_dictionary_holds_both_spellings_of_english():
    assert {"colour", "color", "understand", "known"} <= words()


def test_runs_of_letters_longer_than_any_word_are_left_as_they_are():
    text = "a" * 10_000 + "-\n" + "b" * 10_000
    assert join_hyphenated(text) == (text, 0)
