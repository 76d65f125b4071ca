"""A pod's end with exactly the environment and the probes of the Deployment."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
import yaml

from tests.support.client import Client, fetch
from tests.support.waiting import wait_until

BASE = Path(__file__).resolve().parents[2] / "deploy" / "kubernetes" / "base"


def manifest(name):
    return yaml.safe_load((BASE / name).read_text())


@pytest.mark.watchdog(120)
def test_a_pod_that_leaves_is_not_ready_serves_on_and_finishes_what_runs(serve):
    [generator] = manifest("kustomization.yaml")["configMapGenerator"]
    environment = dict(literal.split("=", 1) for literal in generator["literals"])
    assert environment.pop("HYBRIDD_CONTROL").startswith("/tmp/")  # the pod's own
    pod = manifest("deployment.yaml")["spec"]["template"]["spec"]
    [container] = pod["containers"]
    probes = {name: container[name]["httpGet"]["path"] for name in ("startupProbe", "readinessProbe", "livenessProbe")}
    drain_delay = float(environment["HYBRIDD_SHUTDOWN__DRAIN_DELAY"].removesuffix("s"))
    server = serve({"application": "service:app", "workers": 2}, environment=environment)
    address = server.address
    assert {name: server.ask_admin(path).status for name, path in probes.items()} == dict.fromkeys(probes, 200)

    slow = Client(address, timeout=drain_delay + 30)
    slow.send(f"GET /sleep/{drain_delay + 3} HTTP/1.1\r\nHost: pod\r\n\r\n".encode())
    server.wait_metric("hybridd_connections", 1, state="active")

    server.signal(signal.SIGTERM)
    told = time.monotonic()
    wait_until(lambda: server.ask_admin(probes["readinessProbe"]).status == 503, within=5, what="not ready any more")
    answered = []
    while time.monotonic() < told + drain_delay - 2:  # who has not heard yet still sends requests on new connections
        answered.append(fetch(address, "/sleep/0.2").status)
        assert server.ask_admin(probes["livenessProbe"]).status == 200, "a pod that drains is not to be killed"
    assert set(answered) == {200}

    assert server.wait_ended(pod["terminationGracePeriodSeconds"]) == 0
    assert time.monotonic() - told < pod["terminationGracePeriodSeconds"]
    assert slow.read_answer().status == 200
    slow.close()
