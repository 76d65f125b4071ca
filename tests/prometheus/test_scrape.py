"""A real Prometheus scrapes hybridd: both formats, the rules, and every query of the dashboard."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

import pytest

from tests.support.certificates import Authority
from tests.support.client import Client
from tests.support.load import Plan
from tests.support.prometheus import Prometheus, need
from tests.support.server import ROOT, ServerProcess
from tests.support.tls_client import TlsClient
from tests.support.traffic import Load

DASHBOARD = ROOT / "deploy" / "grafana" / "hybridd.json"
RULES = [ROOT / "deploy" / "prometheus" / name for name in ("recording.yml", "alerts.yml")]
PER_SECOND = {"reqps", "cps", "ops", "Bps"}


class Relay:
    """Passes scrapes on to hybridd: below /classic without the Accept header; remembers what came back."""

    def __init__(self, target: str) -> None:
        self.kinds: dict[str, set[str]] = {}
        relay = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                headers = {} if self.path == "/classic" else {"Accept": self.headers["Accept"]}
                request = urllib.request.Request(f"http://{target}/metrics", headers=headers)
                with urllib.request.urlopen(request, timeout=5) as answer:
                    body, kind = answer.read(), answer.headers["Content-Type"]
                relay.kinds.setdefault(self.path, set()).add(kind.partition(";")[0])
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture(scope="module")
def scraped(tmp_path_factory) -> Iterator[tuple[Prometheus, Relay, bytes]]:
    """A Prometheus that has scraped a hybridd with traffic several times, and what hybridd says in the end."""
    folder = tmp_path_factory.mktemp("prometheus")
    authority = Authority(folder / "authority")
    listen = ["127.0.0.1:0", "127.0.0.1:0 tls"]
    settings = {"listen": listen, "tls": authority.sign("localhost").settings(), "admin": "127.0.0.1:0"}
    server = ServerProcess(folder / "server", {"application": "counting:app", **settings})
    server.start()
    try:
        server.wait_ready()
        server.admin = server.wait_log(r"admin on (127\.0\.0\.1:\d+)")[1]
        with Relay(server.admin) as relay:
            jobs = {
                "hybridd": (server.admin, "/metrics"),
                "modern": (relay.address, "/modern"),
                "classic": (relay.address, "/classic"),
            }
            address = server.address
            for path in ("/inc?n=2", "/set?n=7", "/observe?n=0.3", "/fail"):
                server.fetch(path)
            with (
                Prometheus(folder, jobs, RULES) as prometheus,
                Load(Plan(address, "/inc", connections=2, think=0.02)) as load,
            ):
                prometheus.wait_scrapes(3, len(jobs))
                with TlsClient(server.addresses[1], authority.client_context()) as client:
                    client.get("/inc")
                with Client(address) as client:
                    client.send(b"GET / HTTP/1.1\r\n\r\n")
                    assert client.read_answer().status == 400
                load.stop()
                prometheus.wait_scrapes(6, len(jobs))
                yield prometheus, relay, server.ask_admin("/metrics").body
    finally:
        server.finish()


def test_both_formats_are_scraped_and_mean_the_same(scraped):
    prometheus, relay, _ = scraped
    assert relay.kinds == {"/modern": {"application/openmetrics-text"}, "/classic": {"text/plain"}}
    assert {one["metric"]["job"]: one["value"][1] for one in prometheus.query("up")} == dict.fromkeys(
        ("hybridd", "modern", "classic"), "1"
    )
    names = {
        job: {one["metric"]["__name__"] for one in prometheus.query(f'count by (__name__) ({{job="{job}"}})')}
        for job in ("hybridd", "modern", "classic")
    }
    assert names["hybridd"] == names["modern"] == names["classic"]
    assert {"hybridd_http_requests_total", "hybridd_http_request_duration_seconds_bucket"} <= names["hybridd"]
    assert {"shop_jobs_total", "shop_max_level", "shop_time_seconds_bucket", "shop_size_bytes_sum"} <= names["hybridd"]
    assert "level=error" not in prometheus.log()
    assert "level=warn" not in prometheus.log()  # a sample that came twice, say


def test_promtool_finds_nothing_in_the_metrics(scraped):
    done = subprocess.run([need("promtool"), "check", "metrics"], input=scraped[2], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_what_is_recorded_is_there(scraped):
    prometheus, _, _ = scraped
    for text in re.findall(r"record: (\S+)", RULES[0].read_text()):
        found = prometheus.query(f'{text}{{job="hybridd"}}')
        assert len(found) == 1, text
        assert float(found[0]["value"][1]) >= 0, (text, "NaN?")


def test_no_alert_fires_for_a_hybridd_that_is_well(scraped):
    firing = [one["metric"]["alertname"] for one in scraped[0].query('ALERTS{job="hybridd", alertstate="firing"}')]
    assert firing == []
    pending = [one["metric"]["alertname"] for one in scraped[0].query('ALERTS{job="hybridd"}')]
    assert set(pending) <= {"HybriddErrors"}  # of the one request that failed


def targets() -> list[tuple[str, str, str, str]]:
    """Return (title, query, legend, unit) of every target of the dashboard."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [
        (panel["title"], target["expr"], target["legendFormat"], panel["fieldConfig"]["defaults"]["unit"])
        for panel in panels
        for target in panel.get("targets", ())
    ]


TARGETS = targets()


@pytest.mark.parametrize(("title", "expression", "legend"), [one[:3] for one in TARGETS])
def test_every_query_of_the_dashboard_is_answered_with_data(scraped, title, expression, legend):
    for variable, value in {"$__rate_interval": "30s", "$job": "hybridd", "$instance": ".*"}.items():
        expression = expression.replace(variable, value)
    assert "$" not in expression
    found = scraped[0].query(expression)
    assert found, title
    for label in re.findall(r"{{(\w+)}}", legend):
        assert all(label in series["metric"] for series in found), "a line that the legend cannot name"


@pytest.mark.parametrize(("title", "expression", "unit"), [(title, text, unit) for title, text, _, unit in TARGETS])
def test_every_panel_has_the_unit_of_what_it_shows(title, expression, unit):
    if "histogram_quantile(" in expression or re.search(r"_seconds\b|time\(\)", expression):
        assert unit == "s"
    elif re.search(r"\) / sum\(|:ratio|_seconds_total", expression):
        assert unit == "percentunit"
    elif "rate(" in expression:
        assert unit in PER_SECOND
    else:
        assert unit == ("bytes" if "_bytes" in expression else "short")


def test_the_dashboard_is_whole():
    dashboard = json.loads(DASHBOARD.read_text())
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert {variable["name"] for variable in dashboard["templating"]["list"]} == {"datasource", "job", "instance"}
    for panel in panels:
        area = panel["gridPos"]
        assert area["x"] + area["w"] <= 24, panel["title"]
    places = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(places) == len(set(places)), "panels overlap"
