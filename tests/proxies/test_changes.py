"""What an operator does while clients ask through a proxy: not one 502, and no request without its answer.

HYBRIDD_TEST_FULL=1 runs the acceptance: 20 reloads.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

import pytest

from tests.proxies.conftest import PROXIES, TRUSTED, one_more
from tests.support.front import haproxy, nginx
from tests.support.load import Plan
from tests.support.tools import full
from tests.support.traffic import Load
from tests.support.verbs import verb

pytestmark = pytest.mark.watchdog(400)

RELOADS = 20 if full() else 3
OFF = {
    "nginx": {"proxy_next_upstream error timeout;": "proxy_next_upstream off;"},
    "haproxy": {"retries 3": "retries 0", "option redispatch": "no option redispatch"},
}


@contextlib.contextmanager
def clients(address: str) -> Iterator[None]:
    """Ask and post through the proxy, on kept connections and on new ones; whatever is no 200 is a failure."""
    common = {"connections": 4, "think": 0.002, "seconds": 350}
    plans = [
        Plan(address, **common),
        Plan(address, target="/echo", method="POST", body_size=300, **common),
        Plan(address, target="/echo", method="POST", body_size=300, keep_alive=False, **common),
        Plan(address, connections=8, think=1.9, seconds=350, target="/echo", method="POST", body_size=300),
    ]
    with contextlib.ExitStack() as stack:
        loads = [stack.enter_context(Load(plan)) for plan in plans]
        yield
        for load in loads[:3]:
            load.wait_answered(50)
        tallies = [load.stop() for load in loads]
    print(f"answered: {[tally.answered for tally in tallies]}")  # noqa: T201 - the figure, shown by pytest -s
    assert [(tally.failed, tally.failures) for tally in tallies] == [(0, {})] * len(tallies)


def done(server, *words: str) -> None:
    outcome = verb(server, *words)
    assert (outcome.returncode, outcome.stderr) == (0, "")


@pytest.mark.parametrize("retries", ["on", "off"])
@pytest.mark.parametrize("program", PROXIES)
def test_reloads_restarts_and_scaling(behind, program, retries):
    """Requests that may not be sent again are held without retries too."""
    server, front = behind(program, {"workers": 2}, OFF[program] if retries == "off" else {})
    with clients(front.address):
        for _ in range(RELOADS):
            done(server, "reload")
        for slot in [worker["slot"] for worker in server.workers() if worker["state"] == "ready"]:
            done(server, "worker", "restart", str(slot))
        for wanted in ("4", "1", "2"):
            done(server, "scale", wanted)
    assert not server.metrics().value("hybridd_http_requests_total", method="POST", code="5xx")


@pytest.mark.parametrize("program", PROXIES)
def test_one_of_two_instances_stops_and_comes_back(serve, stack, tmp_path, program):
    """With HAProxy by the health check, within shutdown.drain_delay; with nginx by the connection that is refused."""
    config = {"workers": 1, "shutdown": {"drain_delay": "4s"}}
    servers = [one_more(program, serve, name, config) for name in ("one", "two")]
    front = (nginx if program == "nginx" else haproxy)(tmp_path / program, "\n    ".join(line for _, line in servers))
    stack.enter_context(front)
    (first, _), (second, _) = servers
    with clients(front.address):
        address = first.address
        first.stop(signal.SIGTERM, within=30)
        first.ended = True
        again = serve({**TRUSTED, **config, "admin": first.admin, "listen": [address]}, wait=False)
        again.admin = first.admin
        again.wait_ready()
        done(second, "drain")
        second.wait_ended(30)
