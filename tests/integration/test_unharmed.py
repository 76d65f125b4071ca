"""What an operator does to the workers while clients ask: nobody's request fails, in the patterns that share listeners.

The suite runs short forms; HYBRIDD_TEST_FULL=1 those of the acceptance.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tests.support.load import Plan
from tests.support.shop import CRASHES_LATER, HANGS, RAISES, open_shop, reload_result, write_version
from tests.support.tools import full
from tests.support.traffic import Load
from tests.support.verbs import verb

pytestmark = pytest.mark.watchdog(240)

PATTERNS = ["hybrid", "prefork"]
RELOADS, WORKERS = (20, [2, 4]) if full() else (2, [2])
SETTLE, CRASH = ("2s", 1) if full() else ("600ms", 0.3)
BOOT = "3s"  # of those that hang; all others must keep it, on a busy machine too


@contextlib.contextmanager
def clients(server) -> Iterator[list[Load]]:
    """Ask on kept connections and on new ones; whatever fails is a failure of the test."""
    with (
        Load(Plan(server.address, connections=8, think=0.002, seconds=200)) as kept,
        Load(Plan(server.address, connections=8, think=0.002, seconds=200, keep_alive=False)) as new,
    ):
        yield [kept, new]
        for load in (kept, new):
            load.wait_answered(100)
        tallies = [load.stop() for load in (kept, new)]
    assert [(tally.failed, tally.failures) for tally in tallies] == [(0, {}), (0, {})]


@pytest.fixture(params=PATTERNS)
def settings(request):
    return {"pattern": request.param, "timeouts": {"boot": BOOT}}


@pytest.mark.parametrize("workers", WORKERS)
def test_reloads_in_a_row_and_scaling_up_and_down(serve, tmp_path, settings, workers):
    server = open_shop(serve, tmp_path / "app", {**settings, "workers": workers})
    with clients(server) as loads:
        for number in range(RELOADS):
            version = "version " + "x" * (number + 1)
            write_version(tmp_path / "app", version)
            done = verb(server, "reload")
            assert (done.returncode, done.stderr) == (0, "")
            assert server.fetch("/").body == version.encode()
        for wanted in (6, 1):
            done = verb(server, "scale", str(wanted))
            assert (done.returncode, done.stderr) == (0, "")
            for load in loads:
                load.wait_answered(100)
        server.wait_workers(1)


BAD_CODE = {
    "raises": (RAISES, "RuntimeError: broken on purpose"),
    "hangs": (HANGS, "did not become ready within 3 s (timeouts.boot)"),
    "crashes soon": (CRASHES_LATER.format(seconds=CRASH), "exited with status 3"),
}
BAD_CONFIGURATION = {
    "syntax": ("workers: [2\n", "hybridd.yaml:1:10: not valid YAML: a [ that is not closed"),
    "value": ("workers: many\n", "hybridd.yaml:1:10: workers: expected"),
}


def test_bad_deploys(serve, tmp_path, settings):
    server = open_shop(serve, tmp_path / "app", {**settings, "reload": {"settle": SETTLE}})
    before = server.ready_pids()
    good = server.config_file.read_text()
    with clients(server):
        for text, words in BAD_CONFIGURATION.values():
            server.config_file.write_text(text)
            refused(server, words)
        server.config_file.write_text(good)
        for extra, words in BAD_CODE.values():
            write_version(tmp_path / "app", "a bad one", extra=extra)
            refused(server, words)
            assert "generation 1 cannot be re-created" in server.status()["degraded"]
        assert server.wait_workers(2) == before
        assert server.fetch("/").body == b"one"
        write_version(tmp_path / "app", "mended at last")
        assert verb(server, "reload").returncode == 0
        assert server.status()["degraded"] is None


def refused(server, words):
    done = verb(server, "reload")
    assert (done.returncode, done.stdout) == (1, "")
    assert "refused, generation 1 goes on" in done.stderr
    assert words in done.stderr
    assert reload_result(server) == 0
