"""What a worker leaves behind that ends because nobody else is there to end it."""

from __future__ import annotations

import errno
import os

import pytest

from hybridd.worker import orphan


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "error.log"
    with path.open("ab", buffering=0) as file:
        yield file.fileno(), path


def test_it_says_who_it_is_and_where_its_threads_stand(log):
    fd, path = log
    orphan._say_where(fd)
    first, *stacks = path.read_text().splitlines()
    assert first == f"worker {os.getpid()} ends: its master is gone and a handler hangs; its threads:"
    assert any(line.endswith(" in test_it_says_who_it_is_and_where_its_threads_stand") for line in stacks)


def test_without_a_descriptor_it_says_so_piece_by_piece(log, monkeypatch):
    def no_more(_name):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("hybridd.worker.orphan.os.memfd_create", no_more)
    fd, path = log
    orphan._say_where(fd)
    assert " in test_without_a_descriptor_it_says_so_piece_by_piece" in path.read_text()


def test_that_nobody_reads_it_is_no_reason_to_stay():
    reading, writing = os.pipe()
    os.close(reading)
    orphan._say_where(writing)
    os.close(writing)
