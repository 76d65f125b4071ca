"""Signals as numbers that arrive; that the kernel really writes them is a matter of the tests with processes."""

from __future__ import annotations

import signal
import socket
from collections import deque

import pytest

from hybridd.net.reactor import READ
from hybridd.net.signal_bytes import SignalBytes

TAKEN = (signal.SIGTERM, signal.SIGUSR1)


class End:
    """One end of the pair, without a socket: what is put in can be received."""

    def __init__(self, fd: int) -> None:
        self.arrived: deque[bytes] = deque()
        self.blocking = True
        self.closed = False
        self._fd = fd

    def fileno(self) -> int:
        return self._fd

    def setblocking(self, flag: bool) -> None:
        self.blocking = flag

    def recv(self, size: int) -> bytes:
        assert size >= 256
        if not self.arrived:
            raise BlockingIOError
        return self.arrived.popleft()

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def ends(monkeypatch):
    ends = End(70), End(71)
    monkeypatch.setattr(socket, "socketpair", lambda: ends)
    return ends


@pytest.fixture
def handlers(monkeypatch):
    """The process's handlers, as a dictionary."""
    handlers = dict.fromkeys(signal.Signals, signal.SIG_DFL)
    monkeypatch.setattr(signal, "signal", handlers.__setitem__)
    monkeypatch.setattr(signal, "getsignal", handlers.__getitem__)
    handlers["wake-up"] = -1

    def set_wakeup_fd(fd, **_):
        before, handlers["wake-up"] = handlers["wake-up"], fd
        return before

    monkeypatch.setattr(signal, "set_wakeup_fd", set_wakeup_fd)
    return handlers


@pytest.fixture
def received():
    return []


@pytest.fixture
def signals(loop, ends, handlers, received):
    return SignalBytes(loop.reactor, TAKEN, received.append)


def arrive(loop, ends, data):
    ends[0].arrived.append(data)
    loop.selector.announce((ends[0].fileno(), READ))
    loop.turn()


def test_each_byte_is_a_signal_in_the_order_of_arrival(loop, ends, signals, received):
    arrive(loop, ends, bytes([signal.SIGUSR1, signal.SIGTERM, signal.SIGUSR1]))
    assert received == [signal.SIGUSR1, signal.SIGTERM, signal.SIGUSR1]


def test_a_signal_that_is_not_ours_is_not_told(loop, ends, signals, received):
    """An application's own handler writes its number here too: the descriptor is the process's."""
    arrive(loop, ends, bytes([signal.SIGALRM, 0, 255, signal.SIGTERM]))
    assert received == [signal.SIGTERM]


def test_an_event_without_a_byte_is_nothing(loop, ends, signals, received):
    loop.selector.announce((ends[0].fileno(), READ))
    loop.turn()
    assert received == []


def test_neither_end_ever_blocks(ends, signals):
    assert [end.blocking for end in ends] == [False, False]


def test_installing_takes_the_signals_and_the_wake_up_descriptor(ends, signals, handlers):
    assert not signals.intact()
    signals.install()
    assert signals.intact()
    assert handlers["wake-up"] == ends[1].fileno()
    assert {number for number in signal.Signals if handlers[number] is not signal.SIG_DFL} == set(TAKEN)


def test_the_handler_itself_does_nothing(signals, handlers, received):
    signals.install()
    assert handlers[signal.SIGTERM](signal.SIGTERM, None) is None
    assert received == []


@pytest.mark.parametrize("number", TAKEN)
@pytest.mark.parametrize("thief", [signal.SIG_DFL, signal.SIG_IGN, print])
def test_a_stolen_signal_is_noticed_and_taken_back(signals, handlers, number, thief):
    signals.install()
    handlers[number] = thief
    assert not signals.intact()
    assert signals.reclaim()
    assert signals.intact()
    assert not signals.reclaim()


def test_a_stolen_wake_up_descriptor_is_taken_back(ends, signals, handlers):
    signals.install()
    handlers["wake-up"] = -1
    assert signals.reclaim()
    assert handlers["wake-up"] == ends[1].fileno()
    assert not signals.reclaim()


def test_closing_gives_both_ends_back(ends, signals, handlers):
    signals.install()
    signals.close()
    assert [end.closed for end in ends] == [True, True]
    assert handlers["wake-up"] == -1
