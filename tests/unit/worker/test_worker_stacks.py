"""Where the threads of a worker stand, in one piece."""

from __future__ import annotations

import errno
import os

import pytest

from hybridd.worker.stacks import write_stacks


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "error.log"
    with path.open("ab", buffering=0) as file:
        yield file.fileno(), path


def test_it_says_where_all_threads_stand(log):
    fd, path = log
    write_stacks(fd, b"a heading\n")
    first, *stacks = path.read_text().splitlines()
    assert first == "a heading"
    assert any(line.endswith(" in test_it_says_where_all_threads_stand") for line in stacks)


def test_without_a_descriptor_it_says_so_piece_by_piece(log, monkeypatch):
    def no_more(_name):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("hybridd.worker.stacks.os.memfd_create", no_more)
    fd, path = log
    write_stacks(fd)
    assert " in test_without_a_descriptor_it_says_so_piece_by_piece" in path.read_text()


def test_that_nobody_reads_it_is_no_reason_to_stay():
    reading, writing = os.pipe()
    os.close(reading)
    write_stacks(writing)
    os.close(writing)
