"""Sinks over real descriptors: what somebody reads, or does not read, never makes us wait."""

from __future__ import annotations

import fcntl
import os
import pty
import socket
import subprocess
import sys
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybridd.ops.sink import PIPE_BUF, Sink, _CarefulWrite, adopt, open_sink
from tests.support.waiting import wait_until

LINE = b"x" * 99 + b"\n"

# Writes numbered lines until told to stop, and follows the file whenever it is renamed, as a worker does after USR1.
WRITER = """
import os, sys
from hybridd.ops.sink import open_sink
path, stop, name = sys.argv[1:]
sink = open_sink(path, 1)
number = 0
while not os.path.exists(stop):
    for number in range(number, number + 50):
        sink.write(f"{name} {number} {'x' * 80}\\n".encode())
    number += 1
    sink.reopen()
assert sink.dropped == 0
print(number)
"""
ROTATIONS = 30


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    ends = pty.openpty()
    tty.setraw(ends[1])  # no echo, no newline translation
    yield ends
    for end in ends:
        os.close(end)


@pytest.fixture
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def is_blocking(fd: int) -> bool:
    return not fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK


def fill(sink: Sink) -> int:
    """Write until a record is dropped; return how many were taken.  A sink that waits is caught by the watchdog."""
    taken = 0
    while sink.write(LINE):
        taken += 1
    return taken


def read_all(fd: int) -> bytes:
    os.set_blocking(fd, False)
    found = b""
    try:
        while chunk := os.read(fd, 65536):
            found += chunk
    except BlockingIOError:
        pass
    return found


def assert_drops_whole_lines(sink: Sink, reader: int) -> None:
    taken = fill(sink)
    assert taken > 10
    assert sink.dropped == 1
    found = read_all(reader)
    assert sink.finish()
    found += read_all(reader)
    assert found == LINE * taken
    assert sink.write(b"again\n")
    assert read_all(reader) == b"again\n"


def test_a_pipe_that_nobody_reads(pipe):
    sink = adopt(pipe[1])
    assert_drops_whole_lines(sink, pipe[0])
    sink.close()


def test_a_terminal_that_is_stopped(terminal):
    sink = adopt(terminal[1])
    assert_drops_whole_lines(sink, terminal[0])
    sink.close()


def test_a_socket_that_nobody_reads(sockets):
    ours, theirs = sockets
    sink = adopt(ours.fileno())
    assert_drops_whole_lines(sink, theirs.fileno())
    sink.close()


def test_a_pipe_of_another_user_that_nobody_reads(pipe):
    """It cannot be opened again (EACCES): RWF_NOWAIT, or poll(2) before Linux 6.4."""
    assert_drops_whole_lines(Sink(pipe[1], _CarefulWrite(pipe[1]), limit=PIPE_BUF), pipe[0])


def test_a_terminal_of_another_user(terminal):
    """Terminals do not know RWF_NOWAIT."""
    sink = Sink(terminal[1], _CarefulWrite(terminal[1]))
    assert sink.write(b"hello\n")
    assert read_all(terminal[0]) == b"hello\n"


def test_others_who_have_the_descriptor_notice_nothing(pipe, terminal, sockets):
    """The flags belong to the open file description, which our parent and its other children share."""
    for fd in (pipe[1], terminal[1], sockets[0].fileno()):
        sink = adopt(fd)
        sink.write(b"x\n")
        assert is_blocking(fd)
        sink.close()
        os.fstat(fd)  # still open


def test_a_reader_that_goes_away():
    read, write = os.pipe()
    sink = adopt(write)
    os.close(read)
    assert not sink.write(b"x\n")  # EPIPE, and no SIGPIPE
    assert sink.dropped == 1
    sink.close()
    os.close(write)


def test_a_record_larger_than_the_pipe_is_finished_later(pipe):
    sink = adopt(pipe[1])
    record = b"t" * 300_000 + b"\n"
    assert sink.write(record)
    found = b""
    while not sink.finish():
        found += read_all(pipe[0])
    found += read_all(pipe[0])
    assert found == record
    sink.close()


def test_batches_never_tear_when_several_write_to_one_pipe(pipe):
    """Up to PIPE_BUF a write is all or nothing, whoever else writes: pipe(7)."""
    sinks = [adopt(pipe[1]) for _ in range(3)]
    lines = [b"%d %s\n" % (number, b"y" * (number % 190)) for number in range(400)]
    for sink in sinks:
        sink.write_lines(lines)
    found = read_all(pipe[0]).splitlines(keepends=True)
    assert set(found) <= set(lines)
    assert len(found) + sum(sink.dropped for sink in sinks) == 3 * len(lines)
    for sink in sinks:
        sink.close()


def test_standard_output_into_a_file_is_just_written(tmp_path: Path):
    with (tmp_path / "out").open("wb", buffering=0) as file:
        sink = adopt(file.fileno())
        sink.write(b"1\n")
        sink.reopen()  # there is no path to follow
        sink.write(b"2\n")
        sink.close()
    assert (tmp_path / "out").read_bytes() == b"1\n2\n"


def test_a_named_pipe_whose_reader_comes_back(tmp_path: Path):
    path = tmp_path / "fifo"
    os.mkfifo(path)
    with pytest.raises(OSError, match="No such device"):  # without a reader: ENXIO, not a wait
        open_sink(str(path), 1)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    sink = open_sink(str(path), 1)
    assert sink.limit == PIPE_BUF
    os.close(reader)
    assert not sink.write(b"lost\n")
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    assert sink.write(b"found\n")
    assert read_all(reader) == b"found\n"
    os.close(reader)
    sink.close()


def test_the_names_of_the_standard_streams_are_not_opened():
    output = subprocess.run(
        [sys.executable, "-c", "from hybridd.ops.sink import open_sink; open_sink('/dev/stdout', 2).write(b'x')"],
        stdout=subprocess.PIPE,
        check=True,
    )
    assert output.stdout == b"x"
    ours, theirs = socket.socketpair()
    with ours, theirs:
        subprocess.run(
            [sys.executable, "-c", "from hybridd.ops.sink import open_sink; open_sink('/dev/stderr', 1).write(b'y')"],
            stderr=theirs,
            check=True,
        )
        assert ours.recv(10, socket.MSG_DONTWAIT) == b"y"


def test_a_full_disk_loses_lines_and_not_the_process():
    sink = Sink(-1, lambda record: os.write(full, record))
    full = os.open("/dev/full", os.O_WRONLY)
    assert not sink.write(b"x\n")
    assert sink.dropped == 1
    os.close(full)


def test_rotation_under_several_writers_loses_and_tears_nothing(tmp_path: Path):
    path, stop = tmp_path / "log", tmp_path / "stop"
    writers = {
        name: subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(stop), name], stdout=subprocess.PIPE, text=True
        )
        for name in "abc"
    }
    for rotation in range(ROTATIONS):
        wait_until(path.exists, within=20, what="a writer opens the file again")
        path.rename(tmp_path / f"log.{rotation}")
    stop.touch()
    counts = {name: int(writer.communicate()[0]) for name, writer in writers.items()}
    assert all(writer.returncode == 0 for writer in writers.values())
    lines = [line for file in tmp_path.glob("log*") for line in file.read_text().splitlines()]
    assert sorted(lines) == sorted(f"{name} {number} {'x' * 80}" for name in "abc" for number in range(counts[name]))
