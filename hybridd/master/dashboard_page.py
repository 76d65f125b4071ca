"""The markup of the dashboard: what stands where; dashboard_script.py fills it in.

Its addresses are relative, so that it also works below a path of a proxy that ends in a slash.

Knows:     the names of the places that the script looks for.
Runs in:   nothing; a constant, in Python so that every way of installing the package brings it along.
"""

from __future__ import annotations

from typing import Final


def _tile(name: str, heading: str) -> str:
    """Return one figure with its note and, below them, how it was during the last minute."""
    graph = '<svg viewBox="0 0 60 30" preserveAspectRatio="none" aria-hidden="true"><path/></svg>'
    figure = '<dd><strong>-</strong><span class="note"></span></dd>'
    return f'<div class="tile" id="{name}"><dt>{heading}</dt>{figure}{graph}</div>'


def _table(name: str, headings: str) -> str:
    """Return an empty table; headings of words, which stand on the left, begin with ``<``."""
    cells = "".join(
        f'<th scope="col"{" class=words" * heading.startswith("<")}>{heading.removeprefix("<")}</th>'
        for heading in headings.split()
    )
    return f'<table><thead><tr>{cells}</tr></thead><tbody id="{name}"></tbody></table>'


_TILES = "\n".join(
    (
        _tile("requests", "Requests/s"),
        _tile("latency", "Latency, p99"),
        _tile("calls", "Requests in flight"),
        _tile("connections", "Connections"),
        _tile("cpu", "CPU"),
        _tile("memory", "Memory"),
    )
)
_WORKERS = _table("workers", "slot pid gen <state running queued conn req/s mean p99 CPU memory age")
_CALLS = _table("running", "age <state <request worker")
_DEATHS = _table("deaths", "ago <cause <what")

MARKUP: Final = f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>hybridd</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="dashboard.css">
<script src="dashboard.js" defer></script>
</head>
<body>
<header>
<h1 id="what">hybridd</h1>
<p id="state" class="badge" role="status">waiting</p>
<p id="who" class="note"></p>
<p id="sentence"></p>
<noscript><p>This page needs JavaScript. <code>hybridd top</code> shows the same in a terminal,
<a href="status">/status</a> as JSON.</p></noscript>
</header>
<main>
<dl class="tiles">
{_TILES}
</dl>
<section><h2>Workers</h2><div class="scroll" tabindex="0" role="region" aria-label="Workers">{_WORKERS}</div></section>
<section><h2>In flight, oldest first</h2>
<div class="scroll" tabindex="0" role="region" aria-label="In flight">{_CALLS}</div>
<p id="more" class="note"></p></section>
<section><h2>Changes</h2>
<dl class="facts"><dt>Reload</dt><dd id="reload"></dd><dt>Upgrade</dt><dd id="upgrade"></dd>
<dt>Workers that ended</dt><dd id="causes"></dd><dt>Listens on</dt><dd id="listeners"></dd></dl>
<div class="scroll" tabindex="0" role="region" aria-label="Workers that ended">{_DEATHS}</div></section>
</main>
<footer>Read-only. <a href="status">/status</a> <a href="metrics">/metrics</a> <a href="healthz">/healthz</a>
<a href="readyz">/readyz</a></footer>
</body>
</html>
"""
