"""What becomes of a scrape when the process that gathers cannot be had; a real one is an integration test."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from hybridd.master import gathering
from hybridd.master.gathering import Gathering
from hybridd.ops.application_metrics import failed
from hybridd.ops.value_folder import Place

DESCRIPTORS = Path("/proc/self/fd")
FOLDER = "hybridd-metrics-of-a-test"


@pytest.fixture
def gatherer(loop, tmp_path, monkeypatch):
    """Look into a folder; the process that would is nobody's child, and has ended."""
    monkeypatch.setattr(gathering, "fork", lambda: 2**22 + 1)  # above the highest number that the kernel gives
    gatherer = Gathering(loop.reactor, Place(FOLDER, (str(tmp_path),)), lambda: 100)
    (tmp_path / FOLDER).mkdir(mode=0o700)  # after those that nobody held were swept away
    yield gatherer
    gatherer.close()


@pytest.fixture
def without_descriptors(monkeypatch):
    """There is none left for the process."""

    def refused(_):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(os, "pidfd_open", refused)


@pytest.mark.usefixtures("without_descriptors")
def test_what_cannot_be_watched_is_said_and_leaves_no_pipe(gatherer):
    before = set(DESCRIPTORS.iterdir())
    answers = []
    gatherer.ask(openmetrics=False, deliver=answers.append)
    assert answers == [failed("Too many open files")]
    assert len(set(DESCRIPTORS.iterdir()) - before) == 1, "the folder's lock, and nothing else"


@pytest.mark.usefixtures("without_descriptors")
def test_who_waits_behind_one_that_fails_is_answered_too(gatherer):
    gatherer._look = object()  # others wait for it
    answers = []
    for openmetrics in (False, True):
        gatherer.ask(openmetrics=openmetrics, deliver=answers.append)
    gatherer._look = None
    gatherer._next()
    assert answers == [failed("Too many open files")] * 2
