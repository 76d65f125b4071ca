"""/metrics: every promised family, in the right format, right while workers come and go."""

from __future__ import annotations

import signal
import subprocess

import pytest

from tests.support import processes
from tests.support.load import Plan
from tests.support.promised_metrics import PROMISED
from tests.support.tools import require
from tests.support.traffic import Load
from tests.support.waiting import wait_until

SERVICE = {"application": "service:app"}

HISTOGRAMS = {"hybridd_http_request_duration_seconds", "hybridd_http_queue_wait_seconds"}
OF_THE_MASTER = {
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_open_fds",
}
SAMPLES = {f"{name}_{part}" for name in HISTOGRAMS for part in ("bucket", "count", "sum")} | (PROMISED - HISTOGRAMS)


def test_every_promised_metric_exists_from_the_start(serve):
    server = serve(SERVICE)
    metrics = server.metrics()
    assert metrics.names() >= SAMPLES | OF_THE_MASTER
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "other"):
        for code in ("1xx", "2xx", "3xx", "4xx", "5xx"):
            assert metrics.value("hybridd_http_requests_total", method=method, code=code) == 0


def test_promtool_finds_nothing(serve):
    promtool = require("promtool", "prometheus")
    server = serve(SERVICE)
    server.fetch("/")
    done = subprocess.run(
        [promtool, "check", "metrics"], input=server.ask_admin("/metrics").body, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_openmetrics_is_served_on_request(serve):
    server = serve(SERVICE)
    accept = {"Accept": "application/openmetrics-text; version=1.0.0; charset=utf-8"}
    answer = server.ask_admin("/metrics", headers=accept)
    assert (answer.header("content-type") or "").startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")
    assert (server.ask_admin("/metrics").header("content-type") or "").startswith("text/plain; version=")


def test_requests_are_counted_by_method_and_class(serve):
    server = serve(SERVICE)
    for _ in range(3):
        server.fetch("/")
    server.fetch("/nowhere")
    server.fetch("/echo", "POST", body=b"x" * 100)
    server.fetch("/raise")
    server.fetch("/", "PROPFIND")

    def counted():
        metrics = server.metrics()
        return metrics if metrics.total("hybridd_http_requests_total") == 7 else None

    metrics = wait_until(counted, within=5, what=lambda: server.metrics().text)
    assert metrics.value("hybridd_http_requests_total", method="GET", code="2xx") == 3
    assert metrics.value("hybridd_http_requests_total", method="GET", code="4xx") == 1
    assert metrics.value("hybridd_http_requests_total", method="GET", code="5xx") == 1
    assert metrics.value("hybridd_http_requests_total", method="POST", code="2xx") == 1
    assert metrics.value("hybridd_http_requests_total", method="other", code="2xx") == 1
    assert metrics.value("hybridd_http_request_duration_seconds_count") == 7
    assert metrics.value("hybridd_http_request_duration_seconds_bucket", le="+Inf") == 7
    assert metrics.total("hybridd_connections_accepted_total") == 7
    assert metrics.value("hybridd_network_receive_bytes_total") > 7 * 30
    assert metrics.value("hybridd_network_transmit_bytes_total") > 7 * 60


def test_gauges_come_back_to_rest(serve):
    server = serve(SERVICE)
    with server.client() as client:
        client.get("/")
        server.wait_metric("hybridd_connections", 1, state="idle")
    wait_until(lambda: server.metrics().total("hybridd_connections") == 0, within=5, what="nobody is connected")
    server.wait_metric("hybridd_handler_slots", 0, state="busy")
    server.wait_metric("hybridd_handler_slots", 64, state="free")


def test_the_length_of_the_accept_queue_is_seen(serve):
    server = serve({**SERVICE, "workers": 1, "backlog": 64, "timeouts": {"worker": "60s"}})
    (pid,) = server.wait_workers(1)
    address = server.address
    processes.send(pid, signal.SIGSTOP)
    wait_until(lambda: processes.stopped(pid), within=5, what="it is stopped")
    clients = [server.client() for _ in range(5)]
    metrics = server.metrics()
    assert metrics.value("hybridd_listener_accept_queue", listener=address) == 5
    assert metrics.value("hybridd_listener_accept_queue_limit", listener=address) == 64
    processes.send(pid, signal.SIGCONT)
    for client in clients:
        assert client.get("/").status == 200
        client.close()


@pytest.mark.watchdog(60)
def test_counters_never_fall_while_workers_die_and_reload(serve, rng):
    server = serve({**SERVICE, "crash": {"restarts": 100}})
    server.wait_workers(2)
    earlier = server.metrics()
    with Load(Plan(server.address, connections=4, think=0.001)):
        for turn in range(8):
            before = server.ready_pids()
            if turn % 4 == 3:
                server.signal(signal.SIGHUP)
                server.wait_workers(2, without=before)
            else:
                victim = rng.choice(before)
                processes.send(victim, signal.SIGKILL)
                for _ in range(20):
                    later = server.metrics()
                    assert later.fallen_since(earlier) == []
                    earlier = later
                server.wait_workers(2, without=[victim])
            later = server.metrics()
            assert later.fallen_since(earlier) == []
            earlier = later


def test_label_values_do_not_grow_with_what_clients_send(serve):
    server = serve(SERVICE)
    weighed = "hybridd_worker_proportional_memory_bytes"  # one more for each worker, when it has been

    def series():
        return {(name, labels) for name, labels in server.metrics().samples if name != weighed}

    before = series()
    for number in range(20):
        server.fetch(f"/{number}", f"METHOD{number}")
    assert series() == before
