"""Large responses: ``?size=N&as=one|list|generator|generator-with-length``."""

from __future__ import annotations

from urllib.parse import parse_qs

BLOCK = bytes(range(256)) * 256  # 64 KiB, so that a shifted byte shows


def application(environ, start_response):
    query = parse_qs(environ["QUERY_STRING"])
    size = int(query.get("size", ["10485760"])[0])
    kind = query.get("as", ["one"])[0]
    headers = [("Content-Type", "application/octet-stream")]
    if kind == "generator-with-length":
        headers.append(("Content-Length", str(size)))
    start_response("200 OK", headers)
    if kind == "one":
        return [b"".join(blocks(size))]
    return list(blocks(size)) if kind == "list" else blocks(size)


def blocks(size):
    while size > 0:
        yield BLOCK[:size]
        size -= len(BLOCK)
