"""What a busy machine does to threads that share a decode."""

import os
import subprocess
import sys

import pytest

LOOK = "import os, ghostbuster.models.panel; print(os.environ.get('GOMP_SPINCOUNT'))"


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, "5000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "active"}, "None")],
)
def test_openmp_is_told_to_spin_briefly_unless_the_user_says_how_to_wait(given, expected):
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("OMP_", "GOMP_"))}
    command = [sys.executable, "-c", LOOK]
    done = subprocess.run(command, env=kept | given, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == expected
