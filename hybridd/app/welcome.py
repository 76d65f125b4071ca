"""The built-in application: a friendly page that shows that hybridd runs, and what to do next.

Knows:     the words (below) and the looks (welcome_page.py).
Never:     waits, reads a body, or repeats anything that came from outside without escaping it.
Runs in:   a worker, like any other application.
"""

from __future__ import annotations

import html
import os
from collections.abc import Callable, Iterable
from typing import Any

from hybridd.app.welcome_page import PAGE

TEXT = """\
hybridd is running.

This is the built-in welcome application, answered by worker process {pid}.
Serve your own WSGI application instead:

    hybridd run yourmodule:app

or name it in the configuration file:

    application: yourmodule:app

`hybridd run --help` lists every option.
"""

NOT_FOUND = """\
There is nothing at {path}.

The built-in welcome application has one page: /
"""

# No script, nothing from elsewhere, no frame around it: the page needs none of that.
SECURITY_HEADERS = [
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
    ("Vary", "Accept"),
]


def welcome(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer ``/`` with the page, as HTML for browsers and as text for everybody else (curl)."""
    status = "200 OK"
    extra: list[tuple[str, str]] = []
    path = environ.get("PATH_INFO") or "/"
    if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
        status, extra = "405 Method Not Allowed", [("Allow", "GET, HEAD")]
    elif path != "/":
        status = "404 Not Found"
    if "text/html" in environ.get("HTTP_ACCEPT", ""):
        kind, text = "text/html", _as_html(status, path)
    else:
        kind, text = "text/plain", _as_text(status, path)
    body = text.encode()
    length = ("Content-Length", str(len(body)))
    start_response(status, [("Content-Type", f"{kind}; charset=utf-8"), length, *extra, *SECURITY_HEADERS])
    return [body]


def _as_text(status: str, path: str) -> str:
    """Return the answer for a terminal."""
    if status.startswith("200"):
        return TEXT.format(pid=os.getpid())
    if status.startswith("404"):
        return NOT_FOUND.format(path=ascii(_decoded(path))[1:-1])  # ascii(): no control character for the terminal
    return "The built-in welcome application answers GET and HEAD only.\n"


def _as_html(status: str, path: str) -> str:
    """Return the answer for a browser: the page, with a note where it is not what was asked for."""
    if status.startswith("200"):
        title, note = "hybridd is running", ""
    elif status.startswith("404"):
        title, note = "Nothing here", f"There is nothing at <code>{html.escape(_decoded(path))}</code>."
    else:
        title, note = "Not this method", "This page answers <code>GET</code> and <code>HEAD</code> only."
    note = f'<p class="note" role="status">{note} <a href="/">To the welcome page</a></p>' if note else ""
    return PAGE.substitute(title=title, note=note, pid=os.getpid())


def _decoded(path: str) -> str:
    """Return PATH_INFO, which holds bytes as code points, as text that can be shown."""
    return path.encode("latin-1").decode("utf-8", "replace")
