import signal

import pytest

from hybridd.compare.interruption import Interruption, deferred, interruptible


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_an_interruption(number):
    before = signal.getsignal(number)
    with interruptible(), pytest.raises(Interruption) as interruption:
        signal.raise_signal(number)
    assert interruption.value.number == number
    assert signal.getsignal(number) is before


def test_it_waits_until_a_process_is_known_or_gone():
    steps = []
    with interruptible():
        with pytest.raises(Interruption):
            be_busy(steps)
        with deferred():
            steps.append("again")
    assert steps == ["inner", "outer", "again"]


def be_busy(steps):
    with deferred():
        with deferred():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGTERM)
            steps.append("inner")
        steps.append("outer")
