"""Weak language models: text to token scores.

A panel is the models that score the same text. May import `text` and what lies below;
never `features` or `tables`.
"""

import os

# Threads that share a decode wait for one another after every product, a thousand times a decode, and OpenMP
# lets them spin for so long that a busy machine takes five times as long. It reads this when llama.cpp loads.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "5000")
