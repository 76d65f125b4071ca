"""What was sent: ``/echo`` sends it back, ``/lines`` counts lines, anything else answers length and SHA-256."""

from __future__ import annotations

import hashlib


def application(environ, start_response):
    body = environ["wsgi.input"]
    path = environ["PATH_INFO"]
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    if path == "/echo":
        return [body.read()]
    if path == "/lines":
        return [b"%d\n" % sum(1 for _ in body)]
    if path == "/unread":
        return [b"not read\n"]
    digest = hashlib.sha256()
    length = 0
    while block := body.read(65_536):
        digest.update(block)
        length += len(block)
    return [b"%d %s\n" % (length, digest.hexdigest().encode())]
