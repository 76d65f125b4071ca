"""The words between a daemon and the command that launched it."""

from __future__ import annotations

import os

import daemon.daemon
import pytest

from hybridd.errors import ExitCode
from hybridd.ops.daemonize import LONGEST, Launcher, Report, StillbornError, Verdict, highest_open, understand


@pytest.fixture
def pipe():
    reader, writer = os.pipe()
    yield reader, Verdict(writer)
    os.close(reader)


def said(reader):
    return os.read(reader, 1 << 20)


@pytest.mark.parametrize(
    ("text", "report"),
    [
        (b"", Report()),
        (b"pid 12\n", Report(pid=12)),
        (b"pid 12\nready\n", Report(pid=12, ready=True)),
        (b"pid 12\nfailed 70\nno module\nat all", Report(pid=12, code=70, text="no module\nat all")),
        (b"pid 12\nfailed 0\n", Report(pid=12, code=0)),
        (b"pid 12\nfailed 71\nready\npid 3\n", Report(pid=12, code=71, text="ready\npid 3\n")),
        (b"pid 1", Report()),
        (b"pid 12\nfailed 7", Report(pid=12)),
        (b"pid 12\nfailed 69\ncaf\xe9", Report(pid=12, code=69, text="caf\ufffd")),
    ],
)
def test_what_came_through_the_pipe(text, report):
    assert understand(text) == report


def test_a_daemon_that_is_ready(pipe):
    reader, verdict = pipe
    verdict.ready()
    assert understand(said(reader)) == Report(pid=os.getpid(), ready=True)
    verdict.failed(1, "later")
    verdict.ready()
    assert said(reader) == b"", "one verdict, and the pipe is closed"


def test_a_daemon_that_failed(pipe):
    reader, verdict = pipe
    verdict.failed(70, "no \ud800 module\nin two lines")
    assert understand(said(reader)) == Report(os.getpid(), code=70, text="no \\ud800 module\nin two lines")


def test_a_long_verdict_does_not_wait_for_its_reader(pipe):
    reader, verdict = pipe
    verdict.failed(70, "x" * 1_000_000)
    assert len(said(reader)) <= LONGEST + 100


def test_nobody_listens_any_more():
    reader, writer = os.pipe()
    verdict = Verdict(writer)
    os.close(reader)
    verdict.ready()


def test_without_a_launcher_nothing_is_said():
    verdict = Verdict()
    verdict.ready()
    verdict.failed(1, "x")
    verdict.close()


@pytest.mark.parametrize(
    ("text", "code", "sentence"),
    [
        (b"pid 1\nfailed 69\nin use", ExitCode.CANNOT_BIND, "in use"),
        (b"pid 1\nfailed 0\n", ExitCode.UNEXPECTED, "the daemon was stopped before it was ready; its log is /log"),
        (b"pid 1\n", ExitCode.UNEXPECTED, "the daemon ended before it was ready, without a word; its log is /log"),
        (b"", ExitCode.UNEXPECTED, "the daemon ended before it was ready, without a word; its log is /log"),
        (b"pid 1\nfailed 33\nodd", ExitCode.UNEXPECTED, "odd"),
    ],
)
def test_the_command_ends_as_the_daemon_did(text, code, sentence, monkeypatch):
    monkeypatch.setattr(os, "waitpid", lambda *_: None)
    reader, writer = os.pipe()
    os.write(writer, text)
    os.close(writer)
    with pytest.raises(StillbornError) as caught:
        Launcher(1, reader).wait("/log")
    assert (caught.value.exit_code, str(caught.value)) == (code, sentence)


def test_the_command_ends_with_0_when_the_daemon_is_ready(monkeypatch):
    waited = []
    monkeypatch.setattr(os, "waitpid", lambda *given: waited.append(given))
    reader, writer = os.pipe()
    Verdict(writer).ready()
    assert Launcher(17, reader).wait("/log") == 0
    assert waited == [(17, 0)]


def test_the_highest_descriptor():
    reader, writer = os.pipe()
    try:
        assert max(reader, writer) <= highest_open() < 1000
    finally:
        os.close(reader)
        os.close(writer)


def test_python_daemon_closes_what_we_tell_it():
    """We set a name of its own; should it have another one some day, 10^9 descriptors would be closed one by one."""
    assert isinstance(daemon.daemon._total_file_descriptor_range, range)
    before = daemon.daemon._total_file_descriptor_range
    try:
        daemon.daemon._total_file_descriptor_range = range(20)
        assert daemon.daemon._get_candidate_file_descriptor_ranges({3, 7}) == [(0, 3), (4, 7), (8, 20)]
    finally:
        daemon.daemon._total_file_descriptor_range = before
