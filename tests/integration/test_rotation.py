"""Rotation under load: every answer has its line, once and whole, in one of the files."""

from __future__ import annotations

import json
import re
import signal

import pytest

from tests.support.load import Plan
from tests.support.tools import full
from tests.support.traffic import Load
from tests.support.waiting import pass_time, wait_until

COMBINED = re.compile(
    r'(?P<peer>\S+) - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000\] "(?P<request>GET /\S* HTTP/1\.1)" (?P<status>\d{3}) '
    r'(?P<size>\d+) "-" "[^"]*" id=(?P<id>\S+) worker=\d+ outcome=(?P<outcome>\w+) duration=[\d.]+ received=[\d.]+ '
    r"queued=[\d.]+ handled=[\d.]+ written=[\d.]+"
)
ROTATIONS = 10
ERROR = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \w+ \[\d+\] \S.*")


def identity_in_combined(line):
    found = COMBINED.fullmatch(line)
    assert found, f"torn: {line!r}"
    assert (found["status"], found["outcome"]) == ("200", "served")
    return found["id"]


def identity_in_json(line):
    record = json.loads(line)
    assert (record["status"], record["outcome"]) == (200, "served")
    return record["request_id"]


class Rotation:
    """What logrotate does: move the files away, send USR1, go on when the new ones are there."""

    def __init__(self, server):
        self.server = server
        self.count = 0

    def rotate(self):
        self.count += 1
        logs = (self.server.access_file, self.server.folder / "own.log")
        for path in logs:
            path.rename(path.with_name(f"{path.name}.{self.count}"))
        self.server.signal(signal.SIGUSR1)
        wait_until(lambda: all(path.exists() for path in logs), within=5, what="the logs are made again")

    def lines(self, name):
        return [line for path in self.server.folder.glob(f"{name}*") for line in path.read_text().splitlines()]


@pytest.mark.watchdog(240)
@pytest.mark.parametrize(("form", "identity"), [("combined", identity_in_combined), ("json", identity_in_json)])
def test_no_line_is_lost_or_torn(serve, tmp_path, form, identity):
    requests, pause = (100_000, 1.0) if full() else (8_000, 0.1)
    folder = tmp_path / "server0"
    server = serve(
        {"application": "hello:app", "access_log": {"format": form}, "log": {"file": str(folder / "own.log")}}
    )
    rotation = Rotation(server)
    with Load(Plan(server.address, connections=32, seconds=200)) as load:
        while load.poll()["answered"] < requests or rotation.count < ROTATIONS:
            pass_time(pause)
            rotation.rotate()
        tally = load.stop()
    assert tally.failed == 0, tally.failures
    counted = server.metrics().total("hybridd_http_requests_total")
    server.stop()
    found = [identity(line) for line in rotation.lines("access.log")]
    print(f"{tally.answered} requests, {len(found)} lines, {rotation.count} rotations")  # noqa: T201 - pytest -s shows it
    assert len(found) == tally.answered == counted
    assert len(set(found)) == len(found), "no line is there twice"
    for line in rotation.lines("own.log"):
        assert ERROR.fullmatch(line), f"torn: {line!r}"
