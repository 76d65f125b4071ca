"""The application that tests/http_cases/README.md asks for: it answers with what it was asked."""

from __future__ import annotations

import json
import re

FIELD = re.compile(r"HTTP_|CONTENT_")


def application(environ, start_response):
    target, path = environ["RAW_URI"], environ["PATH_INFO"]
    seen = {
        "method": environ["REQUEST_METHOD"],
        "target": target,
        "path": path,
        "fields": {key: value for key, value in environ.items() if FIELD.match(key)},
        "body": environ["wsgi.input"].read().decode("latin-1"),
    }
    text = json.dumps(seen).encode()
    headers = [("Content-Type", "application/json")]
    if path.startswith("/status/"):
        start_response(f"{path.removeprefix('/status/')} As Wanted", headers)
        return []
    if path == "/close":
        headers.append(("Connection", "close"))
    start_response("200 OK", headers)
    return (text[at : at + 7] for at in range(0, len(text), 7)) if path == "/stream" else [text]
