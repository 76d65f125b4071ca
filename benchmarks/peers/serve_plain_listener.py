"""hybridd without its accept gate: every worker takes what it sees, as with a plain shared listener.

Knows:     the one decision of hybridd.worker.gate that is to be switched off; no setting exists for that.
Runs in:   hybridd's environment, in place of ``python -m hybridd``.
"""

from __future__ import annotations

import sys

from hybridd.cli.main import main
from hybridd.worker.gate import Gate


def _never_defers(self: Gate, now: float) -> bool:  # noqa: ARG001 - the shape of what it replaces
    return False


if __name__ == "__main__":
    assert hasattr(Gate, "defers"), "the gate has changed: this comparison must, too"
    Gate.defers = _never_defers  # type: ignore[method-assign]
    sys.exit(main())
