"""A well-behaved application inside ``wsgiref.validate``, which raises when the server (or it) breaks PEP 3333."""

from __future__ import annotations

from wsgiref.validate import validator


def well_behaved(environ, start_response):
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)) or b"hello\n"
    path = environ["PATH_INFO"]
    environ["wsgi.errors"].write(f"seen {path}\n")
    headers = [("Content-Type", "text/plain")]
    if path == "/length":
        headers.append(("Content-Length", str(len(body))))
    if path == "/none":
        start_response("204 No Content", [])
        return []
    write = start_response("200 OK", headers)
    if path == "/write":
        write(body)
        return []
    return (body[i : i + 2] for i in range(0, len(body), 2)) if path == "/stream" else [body]


application = validator(well_behaved)
