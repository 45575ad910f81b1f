"""Characters that are not what they look like, by Unicode's own properties: each is undone and noted."""

# ruff: noqa: RUF001 - dotless letters are what is tested

import unicodedata

import pytest
from confusable_homoglyphs.confusables import confusables_data
from hypothesis import given
from hypothesis import strategies as st

from ghostbuster.text.confusables import confusables
from ghostbuster.text.invisible import IGNORABLE
from ghostbuster.text.prepare import prepare

regex = pytest.importorskip(
    "regex", reason="Unicode's properties by another implementation: pip install regex"
)

EVERY = [chr(code) for code in range(0x80, 0x110000) if not 0xD800 <= code <= 0xDFFF]


def with_property(name):
    return regex.findall(rf"\p{{{name}}}", "".join(EVERY))


def test_the_ranges_are_unicodes_property():
    assert set(regex.findall(f"[{IGNORABLE}]", "".join(EVERY))) == set(
        with_property("Default_Ignorable_Code_Point")
    )


def test_every_default_ignorable_character_is_removed_from_a_word_and_noted():
    for char in with_property("Default_Ignorable_Code_Point"):
        made = prepare(f"The har{char}bour was quiet.")
        assert made.text == "The harbour was quiet.", ascii(char)
        assert made.notes == ("1 invisible mark was removed",), ascii(char)


@pytest.mark.parametrize(
    "char",
    [char for char in EVERY if unicodedata.name(char, "").endswith((" BLANK", " NULL NOTEHEAD"))]
    + ["\U00013441", "\U00013442", "\ufff9", "\U0001343f"],
)
def test_every_blank_is_removed_from_a_word_and_noted(char):
    made = prepare(f"The har{char}bour was qui{char}et.")
    assert made.text == "The harbour was quiet."
    assert made.notes == ("2 invisible marks were removed",)


def test_blanks_in_place_of_spaces_become_spaces():
    text = "The harbour was quiet and nobody had asked for more than a little of the bread."
    made = prepare(text.replace(" ", "\u2800"))
    assert made.text == text
    assert made.notes == ("15 invisible marks were removed",)


def styles_of(letter):
    """Characters that Unicode's compatibility decomposition makes the letter, alone or in brackets."""
    folded = ((char, unicodedata.normalize("NFKC", char)) for char in EVERY)
    return [
        char
        for char, made in folded
        if made in {letter, f"({letter})"}
        and unicodedata.normalize("NFC", char) == char
        and char not in "\xaa\xba"
    ]


@pytest.mark.parametrize("letter", ["a", "e", "o", "R", "Z", "s"])
def test_every_style_of_a_letter_is_undone(letter):
    for char in styles_of(letter):
        assert prepare(f"The h{char}{char}bour was quiet.").text == f"The h{letter}{letter}bour was quiet.", (
            ascii(char)
        )


def test_small_capitals_and_enclosed_letters_are_undone_by_their_names():
    named = {
        char: unicodedata.name(char).split()[-1]
        for char in EVERY
        if regex.fullmatch(
            "LATIN LETTER SMALL CAPITAL [A-Z]|(NEGATIVE )?(CIRCLED|SQUARED) LATIN CAPITAL LETTER [A-Z]",
            unicodedata.name(char, ""),
        )
    }
    assert len(named) > 4 * 26
    for char, letter in named.items():
        made = prepare(f"Qui{char}t it was.")
        assert made.text.lower() == f"qui{letter.lower()}t it was.", ascii(char)
        assert made.notes == ("1 look-alike of Latin letters was replaced",), ascii(char)


def test_a_text_in_small_capitals_is_read_with_its_single_letters():
    made = prepare("\u1d1b\u029c\u026a\ua731 \u026a\ua731 \u1d00 \u1d1b\u1d07x\u1d1b.")
    assert made.text == "this is a text."
    assert made.notes == ("10 look-alikes of Latin letters were replaced",)


def test_an_enclosed_letter_that_stands_alone_is_no_disguise():
    text = "\u24d0 The first of them. \u24d1 The second of them."
    assert prepare(text).text == text
    assert prepare(text).notes == ()


def test_the_table_of_confusables_is_the_one_that_the_package_reads():
    assert confusables() == {char: tuple(row["c"] for row in rows) for char, rows in confusables_data.items()}


def test_every_mark_that_looks_like_another_is_that_mark_behind_a_word():
    for mark in ",.;:!?":
        for char in (entry["c"] for entry in confusables_data[mark]):
            if len(char) == 1 and not char.isascii():
                made = prepare(f"The harbour was quiet{char} and nobody spoke.")
                assert made.text == f"The harbour was quiet{mark} and nobody spoke.", ascii(char)


def test_a_low_quotation_mark_is_a_comma_behind_a_word_and_a_quotation_mark_before_one():
    made = prepare("Quiet\u201a he said, \u201aso\u2018 it was\u2024 And still\u201a quiet.")
    assert made.text == "Quiet, he said, 'so' it was. And still, quiet."
    assert made.notes == ("3 look-alikes of punctuation marks were replaced",)


def test_a_dotless_i_is_an_i_where_nobody_writes_turkish():
    made = prepare("Organızatıons and thıs dıgıtal world of Mr Yıldız.")
    assert made.text == "Organizations and this digital world of Mr Yildiz."
    assert made.notes == ("7 look-alikes of Latin letters were replaced",)


@pytest.mark.parametrize(
    "text",
    [
        "Mr Yıldız lives in Diyarbakır.",
        "Kadın artık çok yaşlı değil.",
        "Sınıfın önünde durdu ve şarkı söyledi; dışarısı sıcaktı.",
        "Flags \U0001f1f9\U0001f1f7 and faces \U0001f600 stay.",
        "The Hawaiian word is Hawai'i.",
    ],
)
def test_what_people_write_stays(text):
    assert prepare(text).text == text
    assert prepare(text).notes == ()


@given(
    st.text(
        st.sampled_from(
            [
                *"abc XY.,'\n",
                "\u0131",
                "\u201a",
                "\u2800",
                "\u1d00",
                "\u24d0",
                "\u2024",
                "\u00e7",
                "\U00013441",
                "\u0301",
            ]
        )
    )
)
def test_preparing_disguises_twice_changes_nothing(text):
    made = prepare(text).text
    assert prepare(made).text == made
