"""Code, logs, lists, tables, bibliographies and verse are no prose; whatever people write in sentences is."""

import inspect
import json
import textwrap
from pathlib import Path

import pytest

from ghostbuster.text import markup
from ghostbuster.text.oddness import LEAST_ODD, SEGMENTS, oddness
from ghostbuster.text.prepare import prepare, prepare_or_refuse
from ghostbuster.text.prose import assess
from ghostbuster.text.surface import NAMES, look

PROSE = (Path(__file__).parents[2] / "examples" / "human.txt").read_text(encoding="utf-8")
PYTHON = inspect.getsource(markup)[-3000:]
C = """#include <stdio.h>
#include <stdlib.h>

static int compare(const void *a, const void *b) {
    const int *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

int main(int argc, char **argv) {
    int values[64], n = 0;
    for (int i = 1; i < argc && n < 64; i++) {
        values[n++] = atoi(argv[i]);
    }
    qsort(values, n, sizeof(int), compare);
    for (int i = 0; i < n; i++) {
        printf("%d\\n", values[i]);
    }
    return EXIT_SUCCESS;
}
"""
SHELL = """#!/bin/sh
set -eu
for file in "$@"; do
    name=$(basename "$file" .tar.gz)
    if [ -d "build/$name" ]; then
        rm -r "build/$name"
    fi
    mkdir -p "build/$name"
    tar -xzf "$file" -C "build/$name" --strip-components=1
    (cd "build/$name" && ./configure --prefix=/usr && make -j4)
    echo "$name done"
done
exit 0
"""
SQL = """CREATE TABLE pupils (id INTEGER PRIMARY KEY, name TEXT NOT NULL, school_id INTEGER);
CREATE INDEX by_school ON pupils (school_id);
INSERT INTO pupils (id, name, school_id) VALUES (1, 'Ada', 7), (2, 'Ben', 7), (3, 'Cem', 9);
SELECT s.name, COUNT(p.id) AS n_pupils, MAX(p.id) AS newest
FROM schools AS s LEFT JOIN pupils AS p ON p.school_id = s.id
WHERE s.closed IS NULL AND p.name LIKE 'A%'
GROUP BY s.name HAVING COUNT(p.id) > 3 ORDER BY n_pupils DESC;
UPDATE pupils SET school_id = 9 WHERE id IN (SELECT id FROM moved);
"""
LOG = "\n".join(
    f"2024-03-1{i % 10} 08:{i:02}:17,{113 + i} {level} db.pool: {said}"
    for i, (level, said) in enumerate(
        [("INFO", "Connection from 10.0.3.7 closed"), ("WARNING", "Retrying request in 5 seconds")] * 10
    )
)
BIBLIOGRAPHY = "\n".join(
    f"{name}, {initial}. ({year}). {title}. Journal of Towns, {year - 1980}({i + 1}), {i * 31}-{i * 47}."
    for i, (name, initial, year, title) in enumerate(
        [
            ("Adams", "J", 2011, "The structure of small towns"),
            ("Baker", "L", 2009, "Rivers and their names: a survey"),
            ("Chen", "W", 2014, "On the use of glass in coastal huts"),
            ("Dalton", "P", 1998, "Weathering of limestone facades"),
            ("Evans", "T", 2003, "Soil moisture and oak seedlings"),
            ("Garcia", "S", 2016, "Street music and licensing"),
        ]
    )
)
ITEMS = """brown bread, whole milk, salted butter, eggs, tea bags, coffee, oat biscuits, plum jam, olive oil,
rice, dried lentils, red onions, garlic, carrots, green apples, dish soap, paper towels, light bulbs, oats,
postage stamps, brown envelopes, birthday card, cat food, garden twine, tomato seeds, potting soil"""
LIST = "\n".join(f"- {item.strip()}" for item in ITEMS.replace("\n", " ").split(","))
TABLE = "town\tpeople\tarea\theight\n" + "\n".join(
    f"{name}\t{i * 7919 % 90000}\t{i * 13 % 97}.{i % 10}\t{i * 31 % 700}"
    for i, name in enumerate(["Ashford", "Bexley", "Corby", "Dover", "Epsom", "Frome", "Goole", "Hythe"] * 4)
)
VERSE = """I wandered lonely as a cloud
That floats on high o'er vales and hills,
When all at once I saw a crowd,
A host, of golden daffodils;
Beside the lake, beneath the trees,
Fluttering and dancing in the breeze.

Continuous as the stars that shine
And twinkle on the milky way,
They stretched in never-ending line
Along the margin of a bay:
Ten thousand saw I at a glance,
Tossing their heads in sprightly dance.
"""
ODD = {
    "python": (PYTHON, "program code"),
    "c": (C, "program code"),
    "shell": (SHELL, "program code"),
    "sql": (SQL, "program code"),
    "json": (json.dumps([{"id": i, "name": f"item_{i}", "on": i % 2 == 0} for i in range(30)], indent=1), ""),
    "log": (LOG, ""),
    "bibliography": (BIBLIOGRAPHY, "a bibliography"),
    "list": (LIST, "a list"),
    "table": (TABLE, "a table"),
    "verse": (VERSE, "a list or verse"),
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_no_prose_is_called_what_it_looks_like(name):
    text, called = ODD[name]
    made = prepare_or_refuse(text)
    assert made.unlike
    assert made.unlike.startswith(called)
    assert made.text == prepare(text).text  # read all the same


DIALOGUE = """"Where were you?" she asked.
"Out," he said.
"Out where?"
"Just out. I needed some air, and the house was hot."
She looked at him for a long time and said nothing.
"You could have called," she said at last.
"I know. I am sorry. The phone was dead."
"It is always dead when I need you," she said, and turned back to the sink.
"Are you hungry?"
"There is soup on the stove."
"""
LAB_REPORT = """Method
The pondweed was cut under water and placed in a boiling tube with 25 ml of a 0.5 % solution. The lamp (60 W)
was placed 10 cm, 20 cm and 50 cm away. We counted bubbles for 60 s, three times each.

Results
At 10 cm the mean was 42.3 bubbles a minute, at 20 cm 30.7 and at 50 cm it was 4.3 (SD < 3 in all cases).

Discussion
The results support the hypothesis, since the rate fell as the distance grew. Bubbles differ in size.
"""
CONTRACT = """7.2 Termination for Cause. Either Party may terminate this Agreement upon thirty days' notice
to the other Party if such other Party breaches any material provision of this Agreement (including, without
limitation, Sections 3.1, 4.2(b) and 5) and fails to cure such breach within the notice period. 7.3 Effect of
Termination. Upon termination, (i) all licenses granted hereunder shall cease; (ii) the Receiving Party shall
return or destroy all Confidential Information; and (iii) accrued payment obligations shall survive.
"""


@pytest.mark.parametrize(
    "text",
    [
        PROSE,
        *(textwrap.fill(PROSE, width) for width in (32, 48, 72)),
        prepare(PROSE).text,
        PROSE.lower(),
        DIALOGUE,
        LAB_REPORT,
        CONTRACT,
        " ".join(VERSE.split()),
        "A short list: milk, bread, tea.",
    ],
)
def test_people_s_prose_is_judged_whatever_its_layout(text):
    made = prepare_or_refuse(text)
    assert made.unlike == ""
    assert made == prepare(text)


def test_prose_beside_code_is_judged_and_what_was_left_out_is_said():
    mixed = f"{PROSE}\n\n{C}\n{PROSE}"
    made = prepare_or_refuse(mixed)
    assert made.unlike == ""
    assert made.notes[0] == f"{len(C.split())} words of program code were left out: the prose alone is judged"
    assert made.text == prepare(f"{PROSE}\n{PROSE}").text


def test_code_with_little_prose_is_code():
    assert assess(f"{C}\nThe program sorts numbers.\n\n{C}\n{SHELL}").unlike.startswith("program code")


def test_nothing_that_prose_lacks_speaks_for_prose():
    """Crossing a stretch never lowers the log-odds, so no mark can be added to make code pass for prose."""
    assert all(weight > 0 and start < stop for parts in SEGMENTS.values() for start, stop, weight in parts)
    assert set(SEGMENTS) <= set(NAMES)
    assert oddness(look(PROSE)) < 0 < LEAST_ODD < oddness(look(C))


def test_long_texts_are_looked_at_too():
    text = (PROSE + "\n") * 200
    assert assess(text).unlike == ""
    assert assess("x(" * 300_000).unlike
