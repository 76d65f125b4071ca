"""Three hosts behind a real HAProxy: upgraded one by one, one with a bad cable, one cut off."""

from __future__ import annotations

import sys
from contextlib import ExitStack

import pytest

from tests.support.hosts import BALANCER, CLIENT, Lan
from tests.support.load import Plan
from tests.support.traffic import Load

pytestmark = pytest.mark.watchdog(180)

HOSTS = {"h1": "10.77.0.11", "h2": "10.77.0.12", "h3": "10.77.0.13"}
APPLICATION = """
def app(environ, start_response):
    environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "1")])
    return [b"{version}"]
"""


@pytest.fixture
def lan(tmp_path):
    lan = Lan(tmp_path)
    lan.up(len(HOSTS))
    yield lan
    lan.down()


@pytest.fixture
def on_host(lan, tmp_path, serve):
    """Start a version of the application on a host; the server's own fixture ends it before its host goes."""

    def start(host, version):
        folder = tmp_path / f"version{version}"
        folder.mkdir(exist_ok=True)
        (folder / "shop.py").write_text(APPLICATION.replace("{version}", version))
        return serve(
            {
                "application": "shop:app",
                "chdir": str(folder),
                "listen": [f"{HOSTS[host]}:8080"],
                "admin": f"{HOSTS[host]}:9815",
                "shutdown": {"drain_delay": "2s"},
            },
            inside=lan.inside(host),
        )

    return start


@pytest.fixture
def site(lan, on_host):
    """The first version on every host, and HAProxy sees them all."""
    servers = {host: on_host(host, "1") for host in HOSTS}
    lan.balance()
    for host in HOSTS:
        lan.wait_state(host, "UP")
    return servers


def load(lan, **plan):
    return Load(Plan(BALANCER, think=0.01, **plan), python=(*lan.inside(CLIENT), sys.executable))


def test_a_rolling_upgrade_loses_nothing_though_one_host_loses_packets(lan, site, on_host):
    lan.lose("h3", 3)
    with ExitStack() as stack:
        loads = [
            stack.enter_context(load(lan, connections=16)),
            stack.enter_context(load(lan, connections=4, keep_alive=False)),
            stack.enter_context(load(lan, connections=4, method="POST", body_size=4096)),
        ]
        for host, server in site.items():
            server.stop()
            on_host(host, "2")
            lan.wait_state(host, "UP")
            for one in loads:
                one.wait_answered(20)
        tallies = [one.stop() for one in loads]
    assert [tally.failures for tally in tallies] == [{}, {}, {}]
    assert min(tally.answered for tally in tallies) > 60
    assert {lan.ask() for _ in range(6)} == {"2"}, "the old version is gone from every host"
    assert all(int(figures["hrsp_2xx"]) > 0 for figures in lan.servers().values()), "every host has answered"


def test_a_host_that_is_cut_off_costs_only_what_was_under_way_to_it(lan, site):
    connections = 16
    with load(lan, connections=connections, patience=8) as during:
        during.wait_answered(100)
        lan.plug("h2", connected=False)
        lan.wait_state("h2", "DOWN")
        with load(lan, connections=connections) as after:  # from here on HAProxy knows
            after.wait_answered(500)
            known = after.stop()
        unknown = during.stop()
    assert known.failures == {}
    # A connection waits for one answer at a time, and longer than HAProxy needs to see that the host is gone: so none
    # can have lost more than the one request that was under way to it.
    assert unknown.failed <= connections
    assert set(unknown.failures) <= {"no answer in time"}

    lan.plug("h2", connected=True)
    lan.wait_state("h2", "UP")
    served = int(lan.servers()["h2"]["hrsp_2xx"])
    with load(lan, connections=connections) as healed:
        healed.wait_answered(200)
        assert healed.stop().failures == {}
    assert int(lan.servers()["h2"]["hrsp_2xx"]) > served, "h2 has its part again"
