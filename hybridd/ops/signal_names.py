"""What a signal is called: in log lines about processes that died of one.

Knows:     signal numbers.
Never:     what a signal means here.
Runs in:   every process; pure.
"""

from __future__ import annotations

import signal


def signal_name(number: int) -> str:
    """Return SIGKILL for 9, SIGRTMIN+3 for a real-time signal, and the number where there is no name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        real_time = signal.SIGRTMIN < number < signal.SIGRTMAX
        return f"SIGRTMIN+{number - signal.SIGRTMIN}" if real_time else f"signal {number}"
