"""Run a command in this process; assert that an error is one line."""

from ghostbuster.cli import main


def run(capsys, *arguments):
    """Exit code, standard output and standard error of a command."""
    code = main([str(one) for one in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def one_line(error, *words):
    assert error.count("\n") == 1, error
    assert error.startswith("ghostbuster: error: ")
    for word in words:
        assert word in error
