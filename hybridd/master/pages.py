"""The pages of the admin endpoint.

Knows:     what is served under which path; for / a browser gets the dashboard, and everybody else a list.
Never:     HTTP beyond a status and an Accept header.
Runs in:   the master, its only thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, Final, Protocol

import hybridd
from hybridd.http.request import Request
from hybridd.master import dashboard
from hybridd.master.admin import Deliver, Later, Make, Page, in_json, text
from hybridd.ops.application_metrics import Gathered, join
from hybridd.ops.metrics import ApplicationFigures, make_registry, prefers_openmetrics, render
from hybridd.ops.metrics import ScoreboardCollector as Collector

CONTENTS: Final = f"""\
hybridd {hybridd.__version__}

/         in a browser: a live dashboard; in a terminal: hybridd top
/status   how it is, in JSON
/metrics  for Prometheus
/healthz  whether the master lives
/readyz   whether requests should be sent here
"""


class Ask(Protocol):
    """Asks for the application's own metrics."""

    def __call__(self, *, openmetrics: bool, deliver: Callable[[Gathered], None]) -> None:
        """Deliver them, at once or later."""


def make_pages(
    report: Callable[[], Mapping[str, Any]],
    readiness: Callable[[], tuple[bool, str]],
    collector: Collector,
    ask_application: Ask,
) -> dict[str, Make]:
    """Return the pages by path."""
    registry = make_registry(collector)

    def metrics(request: Request) -> Later:
        accept = request.fields.get("HTTP_ACCEPT", "")

        def make_when(deliver: Deliver) -> None:
            def gathered(found: Gathered) -> None:
                collector.application = ApplicationFigures(found.series, found.refused, found.seconds)
                kind, ours = render(registry, accept)
                deliver(Page(join(ours, found.body), kind))

            ask_application(openmetrics=prefers_openmetrics(accept), deliver=gathered)

        return make_when

    def ready(_: Request) -> Page:
        is_ready, why = readiness()
        return text(why, HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE)

    return {
        "/": front,
        "/status": lambda _: in_json(report()),
        "/metrics": metrics,
        "/healthz": lambda _: text("ok: the master's loop turns"),
        "/readyz": ready,
        **{path: partial(_same, page) for path, page in dashboard.PARTS.items()},
    }


def front(request: Request) -> Page:
    """Return the dashboard for a browser, and for everybody else (curl) what there is."""
    return dashboard.PAGE if "text/html" in request.fields.get("HTTP_ACCEPT", "") else Page(CONTENTS.encode())


def _same(page: Page, _: Request) -> Page:
    return page
