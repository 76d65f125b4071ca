"""One line per kind at once, then one per interval with the sum: in simulated time."""

from __future__ import annotations

import logging

import pytest

from hybridd.http.counts import HttpCounts
from hybridd.http.outcome import CloseReason, Rejection
from hybridd.worker.incidents import INTERVAL, KINDS, Incidents


class Log:
    """A worker's counters, and what is written about them."""

    def __init__(self) -> None:
        self.counts = HttpCounts()
        self.now = 1000.0
        self.lines: list[tuple[int, str]] = []
        self._incidents = Incidents(self.counts)

    def refuse(self, times: int, address: str = "192.0.2.7") -> None:
        for _ in range(times):
            self.counts.count_rejected(Rejection.HEADERS_TOO_LARGE)
            self.counts.note(Rejection.HEADERS_TOO_LARGE, address)

    def beat(self, times: int = 1) -> list[str]:
        self.lines.clear()
        for _ in range(times):
            self._incidents.look(self.now, lambda level, line: self.lines.append((level, line)))
            self.now += 1
        return [line for _, line in self.lines]


@pytest.fixture
def log():
    return Log()


def test_nothing_happened_nothing_is_said(log):
    assert log.beat(200) == []


def test_the_first_is_told_at_once_with_the_setting_and_an_address(log):
    log.refuse(1)
    (line,) = log.beat()
    assert line.startswith("1 requests had more than limits.headers or limits.header_bytes allow")
    assert line.endswith("(headers_too_large); the last one came from 192.0.2.7")


def test_a_flood_is_one_line_per_interval_with_the_sum(log):
    log.refuse(1)
    log.beat()
    told = []
    for second in range(int(INTERVAL) * 2):
        log.refuse(1000, f"198.51.100.{second % 250}")
        told += log.beat()
    assert len(told) == 2
    assert told[0].startswith("60000 ")
    assert told[1].startswith("60000 ")


def test_after_a_quiet_interval_the_next_one_is_told_at_once(log):
    log.refuse(1)
    log.beat()
    assert log.beat(int(INTERVAL)) == []
    log.refuse(1)
    assert len(log.beat()) == 1


def test_what_every_server_sees_is_told_only_when_it_is_much(log):
    usual = next(kind.usual for kind in KINDS if kind.reason is CloseReason.RESET)
    for _ in range(usual):
        log.counts.count_closed(CloseReason.RESET)
    assert log.beat(int(INTERVAL) + 1) == []
    for _ in range(usual):
        log.counts.count_closed(CloseReason.RESET)
    assert log.beat() == [], "those of the last interval are forgotten"
    log.counts.count_closed(CloseReason.RESET)
    (line,) = log.beat()
    assert line.startswith(f"{usual + 1} connections were reset")


def test_a_warning_is_where_others_lose(log):
    log.counts.count_closed(CloseReason.EVICTED)
    log.beat()
    assert [level for level, _ in log.lines] == [logging.WARNING]


def test_every_kind_is_told_once():
    assert len({kind.reason for kind in KINDS}) == len(KINDS)
