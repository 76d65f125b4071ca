"""A file that is not in memory: who waits for the disk is the Call that sends it, and nobody else."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.support.client import PATIENT
from tests.support.slow_disk import SlowDisk
from tests.support.waiting import wait_until

ONE = {"application": "files:application", "workers": 1}
CONTENT = bytes(range(256)) * 8192  # 2 MiB


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "cold.bin"
    path.write_bytes(CONTENT)
    return path


def heartbeat(server):
    return server.metrics().value("hybridd_worker_heartbeat_timestamp_seconds", worker="0")


def test_a_file_that_waits_for_the_disk_holds_up_nobody_and_moves_its_route_to_the_pool(serve, file):
    server = serve(ONE)
    rounds = 6
    with SlowDisk(file) as disk, server.client() as reader, server.client() as other:
        for _ in range(rounds):
            disk.stop()
            reader.send(f"GET /?path={quote(str(file))} HTTP/1.1\r\nHost: t\r\n\r\n".encode())
            assert disk.asked.wait(PATIENT)
            assert other.get("/memory").status == 200
            disk.go_on()
            answer = reader.read_answer()
            assert answer.header("Content-Length") == str(len(CONTENT))
            assert answer.body == CONTENT
    answered = heartbeat(server)
    wait_until(lambda: heartbeat(server) > answered, within=PATIENT, what="the worker tells of its hand-offs")
    assert 0 < server.metrics().value("hybridd_handoffs_total") < rounds  # a busy machine makes others look slow, too
