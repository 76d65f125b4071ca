from __future__ import annotations

from hybridd.http.outcome import Outcome
from hybridd.http.request import Request
from hybridd.ops.access_line import CombinedLine
from hybridd.ops.access_log import AccessLog
from hybridd.ops.sink import Sink

MOMENT = 1795341600.1239


def answered() -> Request:
    request = Request("GET", b"/", (1, 1), {})
    request.status, request.outcome = 200, Outcome.SERVED
    return request


class Destination:
    def __init__(self) -> None:
        self.writes: list[bytes] = []

    def __call__(self, record: bytes) -> int:
        self.writes.append(record)
        return len(record)


def test_lines_are_written_once_per_turn():
    to = Destination()
    log = AccessLog(Sink(-1, to), CombinedLine(), clock=lambda: MOMENT)
    for _ in range(3):
        log.append(answered())
    assert to.writes == []
    log.flush()
    assert [piece.count(b"\n") for piece in to.writes] == [3]
    log.flush()
    assert len(to.writes) == 1


def test_a_pipe_gets_whole_lines_in_pieces():
    to = Destination()
    length = len(CombinedLine()(answered(), MOMENT))
    log = AccessLog(Sink(-1, to, limit=2 * length + 8), CombinedLine(), clock=lambda: MOMENT)
    for _ in range(5):
        log.append(answered())
    log.flush()
    assert [piece.count(b"\n") for piece in to.writes] == [2, 2, 1]


def test_a_record_may_change_after_it_was_taken():
    to = Destination()
    log = AccessLog(Sink(-1, to), CombinedLine(), clock=lambda: MOMENT)
    record = answered()
    log.append(record)
    record.status = 599
    log.flush()
    assert b" 599 " not in to.writes[0]


def test_each_thread_collects_for_itself_and_writes_to_the_same_place():
    to = Destination()
    log = AccessLog(Sink(-1, to), CombinedLine(), clock=lambda: MOMENT)
    other = log.for_another_thread()
    log.append(answered())
    other.append(answered())
    other.append(answered())
    log.flush()
    assert [piece.count(b"\n") for piece in to.writes] == [1]
    other.flush()
    assert [piece.count(b"\n") for piece in to.writes] == [1, 2]
    assert other.lock is log.lock


def test_a_log_that_is_off_takes_nothing():
    log = AccessLog(None, CombinedLine())
    log.append(answered())
    log.flush()
    assert not log.enabled
