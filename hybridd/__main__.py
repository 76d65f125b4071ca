"""``python -m hybridd`` is the command ``hybridd``."""

import sys

from hybridd.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
