"""What is attacked: a page, a large one, a place to upload to, and a handler that opens a file."""

from __future__ import annotations

from pathlib import Path

LARGE = b"x" * 2_000_000


def app(environ, start_response):
    path = environ["PATH_INFO"]
    body = b"hello\n"
    if path == "/large":
        body = LARGE
    elif path == "/upload":
        body = b"%d\n" % len(environ["wsgi.input"].read())
    elif path == "/open":
        body = Path(__file__).read_bytes()[:6]
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
