"""The pages of the admin endpoint.

Knows:     the words of /status, /metrics, /healthz, /readyz and the landing page.
Never:     HTTP beyond a status and an Accept header.
Runs in:   the master, its only thread.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from hashlib import sha256
from html import escape
from http import HTTPStatus
from typing import Any, Final, Protocol

import hybridd
from hybridd.http.request import Request
from hybridd.master.admin import Deliver, Later, Make, Page, in_json, text
from hybridd.ops.application_metrics import Gathered, join
from hybridd.ops.metrics import ApplicationFigures, make_registry, prefers_openmetrics, render
from hybridd.ops.metrics import ScoreboardCollector as Collector

STYLE: Final = "body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem }"
LINKS: Final = {
    "/status": "how it is, in JSON",
    "/metrics": "for Prometheus",
    "/healthz": "whether the master lives",
    "/readyz": "whether requests should be sent here",
}


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
        "/": lambda _: landing(report()),
        "/status": lambda _: in_json(report()),
        "/metrics": metrics,
        "/healthz": lambda _: text("ok: the master's loop turns"),
        "/readyz": ready,
    }


def landing(report: Mapping[str, Any]) -> Page:
    """Return the page that a browser sees first."""
    links = "".join(f'<li><a href="{path}">{path}</a> {what}</li>' for path, what in LINKS.items())
    return Page(
        f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>hybridd</title>
<style>{STYLE}</style>
</head><body><h1>hybridd {escape(hybridd.__version__)}</h1>
<p>{escape(str(report["status"]))}</p><ul>{links}</ul></body></html>
""".encode(),
        "text/html; charset=utf-8",
        sources=f"default-src 'none'; style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'",
    )
