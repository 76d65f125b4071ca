"""Attacks with figures: what a fresh client notices, what the workers' memory does, that nobody is restarted.

`make test-system` runs it; the page with the figures is docs/hostile-clients.md.
"""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from tests.support.bystander import Look, look, look_for
from tests.support.client import Answer, fetch
from tests.support.lateness import Lateness
from tests.support.server import ROOT, ServerProcess
from tests.support.tools import require

pytestmark = pytest.mark.watchdog(120)

MEBIBYTE = 1 << 20
SERVER = {
    "application": "attacked:app",
    "workers": 2,
    "timeouts": {"head": "4s", "body": "2s", "write": "2s", "keep_alive": "10s"},
    "limits": {"body_rate": "2KiB", "response_rate": "2KiB"},
}
MOST = 0.050
"""Seconds: what a fresh client may wait, p99, on a machine that gives everybody a CPU."""
SECONDS = 8.0
"""Of each attack."""


@dataclass
class Attacked:
    """A server, and how it was before the attack."""

    server: ServerProcess
    pids: list[int]
    before: Look
    say: Callable[[str], None]
    late: Lateness = field(default_factory=Lateness)

    def during(self, attack: subprocess.Popen[bytes], ask: Callable[[], Answer] | None = None) -> Look:
        """Look on until the attack has ended."""
        with self.late:
            return look(self.server.address, self.pids, lambda: attack.poll() is None, ask)

    def judge(self, name: str, seen: Look, *, growth: float) -> None:
        """Say the figures, and require what is promised; ``growth``: of a worker's memory, in MiB."""
        after = look_for(1.0, self.server.address, self.pids)
        self.say(f"\n{name}\n  before {self.before}\n  during {seen}\n  after  {after}")
        assert sorted(self.server.ready_pids()) == self.pids, "a worker was restarted"
        grown = (max(seen.resident, after.resident) - self.before.resident) / MEBIBYTE
        assert grown < growth, f"a worker's memory grew by {grown:.1f} MiB"
        assert seen.p99 < self.late.allow(MOST, 0.99), f"{seen}; {self.late}"

    def counted(self, reason: str) -> float:
        """Return how many connections were closed for ``reason``."""
        return self.server.metrics().value("hybridd_connections_closed_total", reason=reason)

    def refused(self, reason: str) -> float:
        """Return how many requests were refused for ``reason``."""
        return self.server.metrics().value("hybridd_http_requests_rejected_total", reason=reason)


@pytest.fixture
def say(capfd: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    def say(text: str) -> None:
        with capfd.disabled():
            sys.stderr.write(f"{text}\n")

    return say


@pytest.fixture
def attacked(serve: Callable[..., ServerProcess], say: Callable[[str], None]) -> Callable[..., Attacked]:
    def begin(**limits: object) -> Attacked:
        server = serve({**SERVER, "limits": {**SERVER["limits"], **limits}})
        pids = sorted(server.ready_pids())
        assert len(pids) == 2
        look_for(0.5, server.address, pids)
        return Attacked(server, pids, look_for(2.0, server.address, pids), say)

    return begin


@contextlib.contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program beside the test, and end it with the test."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def attacker(server: ServerProcess, name: str, number: int, seconds: float = SECONDS):
    """Begin one of our own attacks."""
    host, _, port = server.address.rpartition(":")
    return running(sys.executable, "-m", "tests.support.attackers", name, host, port, str(number), str(seconds))


SLOW_HTTP = {
    "slowloris": ["-H", "-i", "1", "-x", "24"],
    "slow body": ["-B", "-i", "1", "-s", "8192", "-x", "10"],
    "range attack": ["-R", "-a", "1", "-b", "3000"],
    "slow read": ["-X", "-w", "256", "-y", "1024", "-n", "1", "-z", "32", "-k", "3"],
}


@pytest.mark.parametrize("mode", SLOW_HTTP)
def test_slowhttptest(attacked, mode):
    victim = attacked()
    target = f"{victim.server.url}/large" if mode == "slow read" else f"{victim.server.url}/"
    tool = require("slowhttptest")
    general = ["-c", "1000", "-r", "500", "-l", f"{SECONDS:.0f}", "-p", "3", "-v", "0", "-u", target]
    with running(tool, *SLOW_HTTP[mode], *general) as attack:
        seen = victim.during(attack)
    victim.judge(f"slowhttptest: {mode}, 1000 connections, 500 a second", seen, growth=40)
    if mode == "slowloris":
        assert victim.refused("head_timeout") > 100
        victim.server.wait_log(r"request heads did not arrive within timeouts.head")
    if mode == "slow body":
        assert victim.refused("body_timeout") > 100
        victim.server.wait_log(r"request bodies came slower than limits.body_rate")
    if mode == "slow read":
        assert victim.counted("write_timeout") > 100
        victim.server.wait_log(r"answers were read slower than limits.response_rate")


@pytest.mark.parametrize(
    ("name", "rate", "kind"),
    [
        ("flood", 1000, None),
        ("resets", 1000, None),
        ("heads", 300, "headers_too_large"),
        ("fields", 300, "headers_too_large"),
    ],
)
def test_storms(attacked, name, rate, kind):
    victim = attacked()
    with attacker(victim.server, name, rate) as attack:
        seen = victim.during(attack)
    victim.judge(f"{name}, {rate} a second", seen, growth=20)
    if kind:
        assert victim.refused(kind) > rate
        assert victim.server.log().count(f"({kind})") <= 2, "one line for each worker, however many they were"


def test_an_idle_hoard_over_the_limit(attacked):
    victim = attacked(connections=500)
    with attacker(victim.server, "idle", 2000) as attack:
        seen = victim.during(attack)
    victim.judge("idle hoard: 2000 wanted, 2 x 500 allowed", seen, growth=10)
    assert victim.counted("evicted") > 500


def test_bodies_that_would_fill_the_disk(attacked):
    victim = attacked(spool="32MiB")
    with attacker(victim.server, "bodies", 50) as attack:
        seen = victim.during(attack)
    victim.judge("body bombs: 50 x 60 MiB, 2 x 32 MiB allowed", seen, growth=60)
    assert victim.refused("spool_full") > 10


def test_no_descriptor_left_under_load(attacked):
    """The workers can open 40 files more, the attacker wants 200 connections, and comes again for each that is ended.

    Who comes is served, and who is connected and asks notices nothing.
    """
    victim = attacked()
    before = resource.prlimit(victim.pids[0], resource.RLIMIT_NOFILE)
    for pid in victim.pids:
        opened = max(int(fd) for fd in os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 - names only
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (opened + 40, before[1]))
    with victim.server.client() as kept, attacker(victim.server, "idle", 200) as attack:

        def ask() -> Answer:
            assert kept.get("/").status == 200
            return fetch(victim.server.address)

        seen = victim.during(attack, ask)
    for pid in victim.pids:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    victim.judge("no descriptors: 200 wanted, 2 x 40 possible", seen, growth=10)
    assert seen.cpu < 0.3, "a worker spins"
    assert victim.counted("evicted_no_descriptors") > 200
    assert victim.counted("evicted") == 0
    victim.server.wait_log(r"idle connections were closed for new ones, because there is no file descriptor left")
    assert victim.server.log().count("cannot accept on") <= 2, "once a minute for each worker"
    assert victim.server.fetch("/open").status == 200
