"""What the master asks of a worker by signal, beside TERM (drain), QUIT (quick stop), USR1 (logs) and ABRT (die).

Real-time signals: a terminal, a shell and an application have other uses for the ones with names.

Knows:     numbers.
Runs in:   master and workers.
"""

from __future__ import annotations

import signal
from typing import Final

STACKS: Final = signal.Signals(signal.SIGRTMIN)
"""Write the stacks of all threads to ``WorkerSpec.stacks``; answered by faulthandler itself."""

RETIRE: Final = signal.SIGRTMIN + 1
"""Accept nothing more on the listeners that others serve too, finish what is open, and stay."""

REVIVE: Final = signal.SIGRTMIN + 2
"""Accept again; in the worker of a successor, for the first time (master/upgrade.py)."""

LEAVE: Final = signal.SIGRTMIN + 3
"""Drain as for TERM, but leave those who wait to be accepted to the other workers: they are the ones who stay."""
