"""``workers: auto`` follows what the machine gives us, at the start and with every reload."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybridd.ops.cgroup import own_group
from hybridd.ops.cpus import available_cpus
from tests.support.verbs import verb

CPUS = available_cpus()


@pytest.mark.skipif(CPUS == 1, reason="there is one CPU")
def test_a_changed_affinity_is_followed(serve):
    server = serve({"application": "hello:app", "workers": "auto"})
    server.wait_workers(CPUS)
    os.sched_setaffinity(server.pid, {min(os.sched_getaffinity(0))})
    assert verb(server, "reload").returncode == 0
    server.wait_workers(1)
    server.wait_log(f"reload: workers: auto is 1 now, it was {CPUS}")


@contextlib.contextmanager
def group_with_one_cpu() -> Iterator[Path]:
    """Make a control group below our own that may use one CPU, in whichever version there is."""
    own = own_group("cpu")
    if own is None:
        pytest.skip("no control group for CPUs")
    folder = Path(own.directory) / f"hybridd-test-{os.getpid()}"
    try:
        folder.mkdir()
        if own.version == 1:
            (folder / "cpu.cfs_period_us").write_text("100000")
            (folder / "cpu.cfs_quota_us").write_text("100000")
        else:
            (folder / "cpu.max").write_text("100000 100000")
    except OSError as error:
        with contextlib.suppress(OSError):
            folder.rmdir()
        pytest.skip(f"control groups cannot be made here: {error}")
    try:
        yield folder
    finally:
        folder.rmdir()


@pytest.mark.skipif(CPUS == 1, reason="there is one CPU")
def test_a_new_quota_is_followed(serve):
    with group_with_one_cpu() as group:
        server = serve({"application": "hello:app", "workers": "auto"})
        server.wait_workers(CPUS)
        (group / "cgroup.procs").write_text(str(server.pid))
        assert verb(server, "reload").returncode == 0
        server.wait_workers(1)
        server.stop()
