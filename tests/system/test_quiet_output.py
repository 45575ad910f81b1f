"""Threads of libraries print nothing between a command's own lines."""

import sys
import threading

from ghostbuster.system.quiet_stderr import silent_threads


def said(name, stream):
    thread = threading.Thread(target=lambda: getattr(sys, stream).write(f"from {name}\n"), name=name)
    thread.start()
    thread.join()


def test_named_threads_are_not_heard_and_all_others_are(capsys):
    before = sys.stdout
    with silent_threads("ray_"):
        sys.stdout.write("from the command\n")
        said("ray_listen_error_messages", "stdout")
        said("ray_print_logs", "stderr")
        said("progress", "stdout")
        assert sys.stdout.encoding == before.encoding
    assert sys.stdout is before
    assert capsys.readouterr() == ("from the command\nfrom progress\n", "")
