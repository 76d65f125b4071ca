from __future__ import annotations

import signal

from hybridd.ops.signal_names import signal_name


def test_signals_without_a_name_keep_their_number():
    assert signal_name(9) == "SIGKILL"
    assert signal_name(signal.SIGRTMIN + 3) == "SIGRTMIN+3"
    assert signal_name(signal.SIGRTMAX + 1) == f"signal {signal.SIGRTMAX + 1}"
