"""What a command reads is never replaced by what it writes."""

import pandas as pd
import pytest
from command_line import one_line, run

from ghostbuster.tables.table import write_table


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "texts.csv"
    write_table(pd.DataFrame({"id": ["a", "b"], "text": ["a b", "c d"], "label": ["0", "1"]}), path)
    return path


COMMANDS = [
    "score-table", "score-table of a folder", "score-pair", "train", "calibrate", "distill",
    "distill a detector", "ensemble", "augment",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_an_output_that_is_an_input_is_refused_and_kept(capsys, table, detector_file, tmp_path, command):
    other = tmp_path / "other.csv"
    write_table(pd.DataFrame({"id": ["a", "b"], "generated": [0.1, 0.9]}), other)
    (tmp_path / "link.csv").symlink_to(table)
    (tmp_path / "essays").mkdir()
    essay = tmp_path / "essays" / "one.csv"
    essay.write_text("words,of an essay\n")
    arguments, victim = {
        "score-table": (["score-table", table, "-o", table, "--submission"], table),
        "score-table of a folder": (["score-table", tmp_path / "essays", "-o", essay], essay),
        "score-pair": (["score-pair", table, "-o", table], table),
        "train": (["train", table, "-o", tmp_path / "link.csv"], table),
        "calibrate": (["calibrate", detector_file, table, "-o", table], table),
        "distill": (["distill", detector_file, table, "-o", table], table),
        "distill a detector": (["distill", detector_file, table, "-o", detector_file], detector_file),
        "ensemble": (["ensemble", other, table, "-o", other], other),
        "augment": (["augment", "lite", table, "--teacher", tmp_path / "t.gguf", "-o", table], table),
    }[command]
    before = victim.read_bytes()
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    one_line(err, "is read by this command, and would be lost: write under another name")
    assert victim.read_bytes() == before


def test_an_adapter_has_the_suffix_by_which_it_is_known(capsys, table, tmp_path, monkeypatch):
    monkeypatch.setattr("ghostbuster.finetuning.installed.NEEDED", ())
    code, _, err = run(capsys, "finetune", table, "-o", tmp_path / "adapter.bin")
    assert code == 2
    one_line(err, "expected a name that ends in .gguf")
    base = tmp_path / "base.gguf"
    base.write_bytes(b"GGUF")
    code, _, err = run(capsys, "finetune", table, "-o", base, "--base", base)
    assert code == 2
    one_line(err, "is read by this command, and would be lost")
    assert base.read_bytes() == b"GGUF"
