"""A new table kind and a new command: each works once its own code and its one row are there."""

import json

import pandas as pd
import pytest

from ghostbuster.errors import InputError
from ghostbuster.tables import registry
from ghostbuster.tables.base import Layout, TableKind
from ghostbuster.tables.chunks import gather_chunks
from ghostbuster.tables.journal import Journal, Score
from ghostbuster.tables.kinds.delimited import delimited
from ghostbuster.tables.kinds.files import FileReader, LineSink
from ghostbuster.tables.scoring import score, write
from ghostbuster.tables.survey import Job, survey
from ghostbuster.tables.table import read_table, write_table

# All that a kind of table needs; here JSON objects behind the record separators of RFC 7464.


class SequenceReader(FileReader):
    """A table in chunks."""

    def _chunks(self, only):  # noqa: ARG002 - a row is read whole
        rows = [json.loads(one) for one in self.path.read_text().split("\x1e") if one]
        self.columns = list(rows[0]) if rows else []
        yield from gather_chunks((row, "") for row in rows)


class SequenceSink(LineSink):
    """A table in chunks."""

    def line(self, row, added):
        return "\x1e" + json.dumps({name: row[name] for name in self.columns} | dict(added)) + "\n"


def read_sequence(path):
    chunks = list(SequenceReader(path).chunks())
    return pd.DataFrame([row for chunk in chunks for row in chunk.records()], dtype=object)


def write_sequence(table, path):
    with SequenceSink(path, Layout(list(table.columns), {})) as sink:
        for chunk in gather_chunks((row, "") for row in table.to_dict("records")):
            sink.write(chunk, {})


SEQUENCE = TableKind("JSON sequence", (".seq",), read_sequence, write_sequence, SequenceReader, SequenceSink)


def lengths(texts):
    return [Score(len(text) / 1000, "human") for text in texts]


def scored(source, output):
    """A table scored as the command does it."""
    job = Job(registry.open_reader(source, "id", "text"), output, "text")
    seen = survey(job)
    with Journal(output, {"input": seen.digest}) as journal:
        score(job, journal, lengths, lambda *_: None)
        write(job, seen, journal, faulty=False)
        journal.discard()
    return read_table(output)


@pytest.mark.parametrize(
    ("row", "suffix"),
    [(SEQUENCE, ".seq"), (delimited("SSV", (".ssv",), separator=";"), ".ssv")],
    ids=["a format of its own", "another separator"],
)
def test_a_kind_of_table_is_its_own_code_and_one_row(tmp_path, monkeypatch, row, suffix):
    with pytest.raises(InputError, match=f"no kind of table is called '{suffix}'"):
        read_table(tmp_path / f"t{suffix}")
    monkeypatch.setattr(registry, "KINDS", (*registry.KINDS, row))
    table = pd.DataFrame({"id": ["1", "2"], "text": ["one; two", 'three "four"\nfive']}, dtype=object)
    path = tmp_path / f"t{suffix}"
    write_table(table, path)
    assert read_table(path).to_dict("list") == table.to_dict("list")
    for other in (".parquet", ".jsonl", suffix):
        found = scored(path, tmp_path / f"out{other}")
        assert found["text"].tolist() == table["text"].tolist()
        assert [float(one) for one in found["probability"]] == [0.008, 0.017]


def test_help_texts_name_every_kind_of_table():
    from ghostbuster.commands.shared.options import TABLE_KINDS

    *others, last = (kind.name for kind in registry.KINDS)
    assert f"{', '.join(others)} or {last}" == TABLE_KINDS


def test_a_command_is_its_own_code_and_one_row(monkeypatch, capsys):
    import typer

    from ghostbuster import cli

    def count(words: list[str]) -> None:
        """Count the words."""
        typer.echo(len(words))

    monkeypatch.setattr(cli, "app", cli.build_app({**cli.COMMANDS, "count": count}, cli.GROUPS))
    assert cli.main(["count", "one", "two"]) == 0
    assert capsys.readouterr().out == "2\n"
    assert cli.main(["--help"]) == 0
    assert "Count the words." in capsys.readouterr().out
    assert cli.main(["coumt", "one"]) == cli.USERS_MISTAKE
    assert "count" in capsys.readouterr().err


def test_an_output_format_is_its_own_function_and_one_row(monkeypatch, capsys):
    from ghostbuster import cli
    from ghostbuster.report.formats.facts import FACT_FORMATS

    monkeypatch.setitem(FACT_FORMATS, "names", ",".join)
    assert cli.main(["info", "--format", "names"]) == 0
    assert capsys.readouterr().out.startswith("artifact,digest,schema,")
