import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ghostbuster.errors import InputError
from ghostbuster.text.prepare import MOST_PASSES, STEPS, decode, prepare, read_text

FRAGMENTS = [
    *(
        "Sure, here is a 6 sentence story based on the prompt:",
        "Here is a story:",
        "[Assistant]: ",
        "Title: x\n",
    ),
    *(
        "Abstract:",
        "**",
        "*",
        "_",
        "__",
        "`",
        "``",
        "''",
        "'",
        '"',
        " ",
        "\n",
        "\n\n",
        "# ",
        "- ",
        "> ",
        "--",
        "---",
    ),
    *(
        "\u2014",
        "\u2013",
        "\u2026",
        ". . .",
        ".",
        "..",
        "!",
        "?",
        ",",
        ":",
        "(",
        ")",
        "[",
        "]",
        "[a](http://b)",
    ),
    *(
        "&amp;",
        "&lt;br&gt;",
        "&",
        "amp;",
        "<br>",
        "\\",
        "\\n",
        "nn",
        "n",
        "n't",
        "do",
        "word",
        "Word",
        "A",
        "U.S.",
    ),
    *(
        "Mr.",
        "www.a.B",
        "3.14",
        "\u0430",
        "\u0440\u0443\u0441",
        "\u03b1",
        "\u200b",
        "\u00ad",
        "\u0301",
        "\u0336",
    ),
    *("\u00e2\u20ac\u2122", "\u00c3\u00a9", "\ud800", "\x00", "\x1b[31m", "\U0001f600", "\u200d", "\ufb01"),
    *("\U0001d41b", "\u2167", "' ll", "-LRB-", "-RRB-", "end.Next", "\t", "\r\n", "\x85", "\u2028", "\xa0"),
]
anything = st.one_of(
    st.text(max_size=80),
    st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=3)), max_size=25).map("".join),
)


@given(anything)
@example("&" + "amp;" * 40 + "lt;br>")
@example("- - - **# > *a*")
def test_preparing_twice_changes_nothing(text):
    once = prepare(text)
    assert prepare(once.text).text == once.text


@given(anything)
def test_a_prepared_text_is_one_line_of_single_spaces_that_any_tokenizer_can_read(text):
    made = prepare(text)
    assert made.text == " ".join(made.text.split())
    assert made.n_words == len(made.text.split())
    made.text.encode("utf-8")  # no lone surrogate


@given(
    st.text(alphabet=st.characters(codec="utf-8"), max_size=60), st.sampled_from(["\n", " ", "\r\n", "\t"])
)
def test_white_space_never_changes_the_outcome_of_words(text, space):
    words = [word for word in text.split() if word.isalpha()]
    assert prepare(space.join(words)).text == prepare(" ".join(words)).text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\u201cSo,\u201d he said, \u2018fine\u2019.", "\"So,\" he said, 'fine'."),
        ("It was dark\u2014very dark \u2014 and cold.", "It was dark - very dark - and cold."),
        ("It was dark--very dark -- and cold.", "It was dark - very dark - and cold."),
        ("Pages 3\u20134, he \u2013 well \u2013 knew.", "Pages 3-4, he - well - knew."),
        ("Wait\u2026 what. . . no....", "Wait... what... no..."),
        ("Tabs\tand\u00a0odd\u2003spaces\r\nend.", "Tabs and odd spaces end."),
        ("\ufb01ne \uff26\uff35\uff2c\uff2c caf\u0065\u0301", "fine FULL caf\u00e9"),
        ("Fish &amp; chips &lt; &amp;amp; more", "Fish & chips < & more"),
        ("Good.<br /><br />Bad.", "Good. Bad."),
        ("Case Is Left ALONE.", "Case Is Left ALONE."),
    ],
)
def test_typography_is_levelled_and_not_noted(text, expected):
    made = prepare(text)
    assert made.text == expected
    assert made.notes == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I did n't , or could n't , see .", "I didn't, or couldn't, see."),
        ("I' ll go. Do n' t worry, she' s fine.", "I'll go. Don't worry, she's fine."),
        ("He said , `` no '' .", 'He said, "no".'),
        ('" Not so fast. " " Sorry. "', '"Not so fast." "Sorry."'),
        ("( as it is ) -LRB- here -RRB- .", "(as it is) (here)."),
        ("The end.Next came rain.It fell:Hard.", "The end. Next came rain. It fell: Hard."),
        ('"It is over."Then she left.', '"It is over." Then she left.'),
        ("Great food. nnI came back. nNo wait.", "Great food. I came back. No wait."),
        ("One.\\n\\nTwo.", "One. Two."),
    ],
)
def test_tokenised_and_glued_punctuation_is_mended(text, expected):
    assert prepare(text).text == expected


@pytest.mark.parametrize(
    "text",
    [
        "The U.S.Army paid $3.14, e.g. to www.Foo.Com or https://a.b/C.De and so on.",
        "The boys' toys cost .5 each; it's 5 * 3 and snake_case stays, f***ing too.",
        "Here's the thing: I quit. Here are my 5 reasons: money.",
        "This is my story: it is short.",
        "This is a milestone review for me: number 100.",
        "Okay, here's the deal: I love it.",
        "Of course, here's the problem: nobody came.",
        "\u0421\u043b\u043e\u0432\u043e \u043e \u043f\u043e\u043b\u043a\u0443.",
        "The \u03b1-helix and \u03bcm, \u03b1x + \u03b2y.",
        "\u00c5ngstr\u00f6m, na\u00efve, Y\u0131ld\u0131z, Ti\u1ebfng Vi\u1ec7t.",
    ],
)
def test_what_is_right_already_stays(text):
    made = prepare(text)
    assert made.text == text
    assert made.notes == ()


@pytest.mark.parametrize(
    ("text", "expected", "marks"),
    [
        ("# Head\n\nSome **bold** and *thin* text.", "Head Some bold and thin text.", 5),
        ("* one\n* two\n- three", "one two three", 3),
        ("> quoted\n> more", "quoted more", 2),
        ("See [the page](https://x.org/y) now.", "See the page now.", 1),
        ("```python\nx = 1\n```", "x = 1", 2),
        ("A line.\n\n---\n\nAnother line.", "A line. Another line.", 1),
        ("Use `code` and ~~not~~ snake\\_case.", "Use code and not snake_case.", 5),
    ],
)
def test_markdown_is_taken_away_and_noted(text, expected, marks):
    made = prepare(text)
    assert made.text == expected
    assert made.notes == (f"markdown was removed ({marks} mark{'s' if marks > 1 else ''})",)


@pytest.mark.parametrize(
    "preamble",
    [
        "Sure, here is a story about cats:\n\n",
        "Here is a 6 sentence news article based on the given summary:",
        "Certainly! Here's the rewritten text:\n",
        "Absolutely! Here\u2019s a more enthusiastic version of your text:\n\n",
        'Here is a 7 sentence abstract for the title "A: B":',
        "This is a 15 -sentence story based on the prompt: ",
        "[Assistant]: ",
    ],
)
def test_a_chat_preamble_is_dropped_and_noted(preamble):
    made = prepare(preamble + "It rained all day. Nobody went out.")
    assert made.text == "It rained all day. Nobody went out."
    assert "a chat preamble was removed" in made.notes


@pytest.mark.parametrize(
    "label", ["Title: Rain\n\n", "Abstract:\n", "Abstract: ", "Title: Rain\n\nReview:\n"]
)
def test_a_label_is_dropped_but_not_held_against_the_writer(label):
    made = prepare(label + "It rained all day. Nobody went out.")
    assert made.text == "It rained all day. Nobody went out."
    assert made.notes == ()


def test_a_preamble_with_nothing_after_it_stays():
    assert prepare("Sure, here is a story:").text == "Sure, here is a story:"


def test_invisible_marks_are_removed_and_counted():
    made = prepare("\u200bin\u00advis\u2060ible\u202e")
    assert made.text == "invisible"
    assert made.notes == ("4 invisible marks were removed",)
    assert prepare("one\u200b").notes == ("1 invisible mark was removed",)


def test_marks_that_belong_to_emoji_are_no_disguise():
    assert prepare("I \u2764\ufe0f it \U0001f469\u200d\U0001f4bb.").notes == ()


def test_look_alikes_in_latin_words_are_replaced_and_counted():
    # Cyrillic a, er, es; Roman numeral fifty; Coptic gamma; Armenian vo
    made = prepare("\u0430 \u0441he\u0441k\u0440oint, Hel\u217cand, po\u2c85t, secoe\u0578d")
    assert made.notes == ("7 look-alikes of Latin letters were replaced",)
    assert made.text.startswith("a checkpoint, ")
    assert made.text.isascii()


def test_styled_letters_are_plain_letters():
    made = prepare("\U0001d5d5\U0001d5fc\U0001d5f9\U0001d5f1 words")
    assert made.text == "Bold words"
    assert made.notes == ("4 look-alikes of Latin letters were replaced",)


def test_a_word_of_another_script_stays_beside_latin_ones():
    assert prepare("He said \u0441\u043b\u043e\u0432\u043e to \u03bb\u03cc\u03b3\u03bf\u03c2.").notes == ()


def test_words_wholly_in_look_alikes_are_replaced_where_many_others_are_disguised():
    # every letter that Cyrillic has a twin of: "as", "see" and "I" have no Latin letter left
    made = prepare(
        "\u0410\u0455 \u0406 \u0455\u0435\u0435, th\u0435 \u0441\u043el\u043eur \u0456\u0455 r\u0435d."
    )
    assert made.text == "As I see, the colour is red."
    assert made.notes == ("13 look-alikes of Latin letters were replaced",)
    # Latin ones that no orthography of English has, and a Greek letter alone
    made = prepare("\u03b1 sm\u0430ll t\u0435xt w\u0131th f\u0435w l\u0435tters b\u00fct \u0440lain")
    assert made.text == "a small text with few letters b\u00fct plain"


@pytest.mark.parametrize(
    "text",
    [
        # a disguise or two do not put other scripts under suspicion
        "He said \u0441\u043e\u0440 to th\u0435m, and then he told them all of it, at length and in detail.",
        "The \u03b1 particle and TNF\u03b1 of \u03b1 cells, "
        + "which are cells of two kinds, " * 4
        + "are s\u0435en.",
    ],
)
def test_one_disguise_puts_no_other_script_under_suspicion(text):
    foreign = [c for c in text if not c.isascii()]
    kept = [c for c in prepare(text).text if not c.isascii()]
    assert len(kept) >= len(foreign) - 2
    assert {"\u0441\u043e\u0440", "\u03b1"} & set(prepare(text).text.split())


def test_a_text_of_another_script_stays_though_some_words_are_mixed():
    russian = "\u0421\u043e\u0440 \u0438 \u0434\u043e\u043c, \u0430 \u043d\u0435 \u0441\u0430\u0434. " * 3
    assert prepare(russian + "Hell\u043e.").text.startswith(russian.strip())


def test_stacked_accents_are_trimmed_and_counted():
    made = prepare("Z" + "\u0321\u0322\u031b\u0317\u034d" + "algo h\u0336e\u0336y")
    assert made.text == "Zalgo hey"
    assert made.notes == ("7 stacked accents were removed",)


def test_text_in_a_wrong_encoding_is_repaired_and_noted():
    made = prepare("It\u00e2\u20ac\u2122s a caf\u00c3\u00a9.")
    assert made.text == "It's a caf\u00e9."
    assert made.notes == ("characters garbled by a wrong encoding were repaired",)


def test_what_was_cut_at_the_end_is_said():
    whole = "The harbour was quiet that morning. Nobody had asked for bread."
    assert prepare(f"{whole} And then the").text == whole
    assert prepare(f"{whole} And then the").notes == (
        "3 words at the end were left out: a sentence that breaks off",
    )
    assert prepare(f"{whole} Then").notes == ("1 word at the end was left out: a sentence that breaks off",)
    assert prepare(whole).notes == ()


@pytest.mark.parametrize(("n_words", "cut"), [(40, 40), (41, 0)])
def test_no_more_than_a_sentence_is_cut_at_the_end(n_words, cut):
    whole = "The harbour was quiet that morning and nobody had asked for bread. " * 8
    made = prepare(whole + " ".join(["harbour"] * n_words))
    assert made.n_words == 8 * 12 + n_words - cut


def test_a_half_without_full_stops_is_read_whole():
    whole = "The harbour was quiet that morning. Nobody had asked for bread. " * 20
    ending = "\n".join(["- bread and butter and a little of the cheese from the farm"] * 12)
    assert prepare(f"{whole}\n{ending}").n_words == 20 * 11 + 12 * 12


def test_an_unfinished_last_sentence_is_dropped_when_enough_stays():
    assert prepare("One is here. Two is here too. And three br").text == "One is here. Two is here too."
    assert prepare("One is here. And two goes on and on and br").text.endswith("and br")
    assert prepare("No end at all").text == "No end at all"
    long_tail = "One. Two. " + "and so it went on " * 10 + "until"
    assert prepare(long_tail).text == long_tail
    assert (
        prepare("I met a man. He knew Mr. Smith and Dr. Jo").text
        == "I met a man. He knew Mr. Smith and Dr. Jo"
    )


def test_an_empty_text_stays_empty():
    made = prepare(" \n\u200b ")
    assert (made.text, made.n_words) == ("", 0)


RUNS = [
    *(
        "a",
        " ",
        "*",
        "* ",
        '"',
        "'",
        "-",
        "[",
        "](",
        "<",
        "<p ",
        "&amp;",
        "a.A",
        ". ",
        "\n ",
        "> ",
        "\\",
        "_a ",
    ),
    *(
        "`",
        "\u0301\u0323",
        "\u0430 ",
        "\U0001d41b",
        "\u200b",
        "\u2013",
        "\u00e2\u20ac",
        "Here is a ",
        " ,",
        "n",
    ),
]


# Each of these made some pattern quadratic, or would make a careless one. Passing is finishing: at quadratic
# cost any of them takes many minutes.
@pytest.mark.parametrize("piece", RUNS)
def test_long_runs_of_anything_are_prepared(piece):
    text = (piece * 200_000)[:200_000]
    for change, _ in STEPS:
        text, _ = change(text)
    assert len(text) <= 600_000


def test_the_number_of_passes_is_bounded():
    assert MOST_PASSES <= 16


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("caf\u00e9".encode(), "caf\u00e9"),
        ("caf\u00e9".encode("utf-8-sig"), "caf\u00e9"),
        ("caf\u00e9".encode("utf-16"), "caf\u00e9"),
        (b"\xfe\xff" + "caf\u00e9".encode("utf-16-be"), "caf\u00e9"),
        ("caf\u00e9".encode("utf-32"), "caf\u00e9"),
    ],
)
def test_utf_8_and_marked_unicode_are_decoded(data, expected):
    assert decode(data, "a.txt") == expected


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "^a.txt is empty; expected a text$"),
        (b" \n\t ", "^a.txt holds only white space"),
        ("\ufeff \u00a0".encode(), "^a.txt holds only white space"),
        (
            "It was a caf\u00e9.".encode("cp1252"),
            "^a.txt is not valid UTF-8: byte 0xe9 at offset 12; save the file as UTF-8$",
        ),
        (b"\xff\xfea", "^a.txt is not valid UTF-16.*: byte 0x61 at offset 2"),
        (b"\x7fELF\x02\x01\x01\x00\x00", "^a.txt is a binary file"),
        ("abc".encode("utf-16-le"), "^a.txt looks like UTF-16 without a byte order mark; save it as UTF-8"),
        ("abc".encode("utf-16-be"), "^a.txt looks like UTF-16 without a byte order mark"),
        (bytes(range(1, 256)), "^a.txt is a binary file"),
        (b"\x01\x02\x03 hello", "^a.txt is a binary file"),
        (b"%PDF-1.7\n...", "^a.txt is a PDF document, not plain text; export its text as UTF-8"),
        (b"PK\x03\x04word/document.xml", "^a.txt is a zip archive or an office document"),
    ],
)
def test_what_is_no_text_is_refused_in_one_line(data, message):
    with pytest.raises(InputError, match=message) as caught:
        decode(data, "a.txt")
    assert "\n" not in str(caught.value)


def test_a_file_is_read(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("na\u00efve".encode())
    assert read_text(path) == "na\u00efve"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.txt does not exist"):
        read_text(tmp_path / "nowhere.txt")


def test_a_directory_is_named(tmp_path):
    with pytest.raises(InputError, match="is a directory; expected a text file"):
        read_text(tmp_path)


def test_an_unreadable_path_is_named(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(InputError, match="cannot be read"):
        read_text(tmp_path / "a.txt" / "b.txt")


def test_importing_text_loads_no_heavy_library():
    import subprocess

    heavy = "('ftfy', 'numpy', 'sklearn')"
    code = f"import sys, ghostbuster.text.prepare; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
