"""Each filter drops what it is for, and nothing that people write."""

import pytest
from prose import EXAMPLES, passages

from ghostbuster.detector.augmentation.filters import Filters, cleaned
from ghostbuster.detector.augmentation.prompts import ECHO_WORDS, MOST_SHOWN, Request, shortened, text_seed
from ghostbuster.errors import InputError

SHOWN = passages(1, 60)[0]
KNOWN = passages(3, 60, seed=5)
FRESH = (
    "My grandmother kept bees behind the chapel, and every June she let us carry the smoker while she "
    "lifted the frames. Nobody was stung twice in one summer, she said, unless he had earned it, and we "
    "believed her until the year of the wet spring, when the bees were hungry and each of us had to run."
)


@pytest.fixture
def filters():
    return Filters([SHOWN, *KNOWN], Request().own_words, ECHO_WORDS)


CASES = [
    ("", "empty"),
    ("  ** ", "empty"),
    ("I'm sorry, but I can't write that. " + FRESH, "refusal"),
    ("As an AI language model, I have no grandmother. " + FRESH, "refusal"),
    ("I\N{RIGHT SINGLE QUOTATION MARK}m unable to do this. " + FRESH, "refusal"),
    ("I cannot fulfill this request. " + FRESH, "refusal"),
    ("Write another text of the same kind. " + FRESH, "leak"),
    (FRESH + "<|im_end|> user", "leak"),
    (FRESH + " [INST] more", "leak"),
    ("Here is a new text about bees. " + FRESH, "leak"),
    ("My grandmother kept bees.", "length"),
    (" ".join([FRESH] * 4), "length"),
    (
        "Die Großmutter hielt hinter der Kapelle ihre Bienen und jeden Sommer durften wir den Rauch tragen. "
        * 4,
        "language",
    ),
    ("def bees(hive):\n    return [frame for frame in hive if frame.full]\n\n" * 8, "not prose"),
    ("The bees were hungry and we had to run. " * 7, "repetition"),
    (SHOWN, "copy"),
    (KNOWN[1], "copy"),
]


@pytest.mark.parametrize(("text", "name"), CASES, ids=range(len(CASES)))
def test_an_answer_is_dropped_by_the_filter_it_is_for(filters, text, name):
    assert filters.dropped_by(cleaned(text), SHOWN) == name


def test_what_is_kept_is_known_and_its_near_copy_is_dropped(filters):
    assert filters.dropped_by(FRESH, SHOWN) == ""
    assert filters.dropped_by(FRESH.replace("grandmother", "aunt"), SHOWN) == "copy"


def test_a_text_kept_by_an_earlier_run_is_known_too(filters):
    filters.keep(FRESH)
    assert filters.dropped_by(FRESH, SHOWN) == "copy"


def test_texts_by_people_pass():
    text = (EXAMPLES / "human.txt").read_text("utf-8")
    words = text.split()
    for start in range(0, len(words) - 100, 50):
        passage = " ".join(words[start : start + 100])
        assert Filters([], Request().own_words, ECHO_WORDS).dropped_by(passage, passage) == ""


def test_a_text_in_another_language_may_be_answered_in_it():
    german = "Der Fluss stieg so hoch wie seit dem Winter der Flut nicht mehr, und niemand ging hinüber. " * 3
    other = (
        "Meine Tante backte Brot für alle Nachbarn, weil der Bäcker im Dorf schon lange gestorben war. " * 2
    )
    other += (
        "Sonntags kamen Kinder, die hungrig und laut an ihrem Fenster standen, bis jedes ein Stück bekam."
    )
    assert Filters([german], Request().own_words, ECHO_WORDS).dropped_by(other, german) in {"", "repetition"}


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("<think>A new one, about bees.</think>\n\nThe bees.", "The bees."),
        ("<think>never ends", ""),
        ("Sure! Here is the new text:\n\nThe bees were out.", "The bees were out."),
        ("\n The bees. ", "The bees."),
    ],
)
def test_thoughts_and_preambles_are_taken_off(said, kept):
    assert cleaned(said) == kept


def test_a_request_shows_the_text_and_asks_for_its_length():
    asked = Request().about(SHOWN)
    assert asked.count(SHOWN) == 1
    assert "about 60 words long" in asked
    assert "{" not in asked


def test_a_text_with_braces_is_shown_as_it_is():
    assert "a {text} and {n_words} here" in Request().about("a {text} and {n_words} here")


def test_a_long_text_is_shown_up_to_the_end_of_a_sentence():
    sentence = "One two three four five six seven eight nine ten. "
    shown = shortened((sentence * 50).strip())
    assert len(shown.split()) == MOST_SHOWN
    assert shown.endswith("ten.")
    assert len(shortened("word " * 1000).split()) == MOST_SHOWN


def test_a_request_of_ones_own_is_read_and_must_show_a_text_once(tmp_path):
    (tmp_path / "ask.txt").write_text("Like this, in {n_words} words:\n{text}\n", "utf-8")
    assert (
        Request.read(tmp_path / "ask.txt").about("Hello there.") == "Like this, in 10 words:\nHello there.\n"
    )
    for bad in ("no place", "{text} {text}"):
        (tmp_path / "bad.txt").write_text(bad, "utf-8")
        with pytest.raises(InputError, match="expected a request that shows a text once"):
            Request.read(tmp_path / "bad.txt")
    with pytest.raises(InputError, match="does not exist"):
        Request.read(tmp_path / "none.txt")
    (tmp_path / "odd.txt").write_text("Like {text}, in {words} words")
    with pytest.raises(
        InputError, match=r"odd.txt holds \{words\}; expected no other places than \{text\} and"
    ):
        Request.read(tmp_path / "odd.txt")


def test_every_text_has_a_seed_of_its_own():
    seeds = {text_seed(0, r, p, k) for r in (1, 2) for p in range(20) for k in range(4)}
    assert len(seeds) == 160
    assert text_seed(0, 1, 2, 3) == text_seed(0, 1, 2, 3) != text_seed(1, 1, 2, 3)
