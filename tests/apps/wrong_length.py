"""Content-Length ``?says=N`` while ``&gives=M`` bytes come; ``&as=list|generator|write``."""

from __future__ import annotations

from urllib.parse import parse_qs


def application(environ, start_response):
    query = {key: values[0] for key, values in parse_qs(environ["QUERY_STRING"]).items()}
    gives = int(query["gives"])
    write = start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", query["says"])])
    kind = query.get("as", "list")
    if kind == "write":
        write(b"x" * gives)
        return []
    return [b"x" * gives] if kind == "list" else (b"x" for _ in range(gives))
