"""``python -m ghostbuster`` is the command ``ghostbuster``."""

import sys

from ghostbuster.cli import main

if __name__ == "__main__":
    sys.exit(main())
