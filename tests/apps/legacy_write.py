"""PEP 3333's ``write()``: ``?count=N&size=S`` blocks, one more returned; ``/endless`` writes until it raises."""

from __future__ import annotations

from urllib.parse import parse_qs

gone = 0


def application(environ, start_response):
    global gone  # noqa: PLW0603 - what a test looks at
    query = parse_qs(environ["QUERY_STRING"])
    size = int(query.get("size", ["10"])[0])
    if environ["PATH_INFO"] == "/gone":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"%d\n" % gone]
    write = start_response("200 OK", [("Content-Type", "application/octet-stream")])
    if environ["PATH_INFO"] == "/endless":
        try:
            while True:
                write(b"w" * size)
        except ConnectionError:
            gone += 1
            raise
    for _ in range(int(query.get("count", ["3"])[0])):
        write(b"w" * size)
    return [b"returned\n"]
