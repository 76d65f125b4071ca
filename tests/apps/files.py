"""``wsgi.file_wrapper``: ``?path=P`` is sent from ``&offset=N``; ``&length=N`` sets Content-Length.

``/memory`` wraps no file, ``/gzip`` one whose descriptor is not what it reads,
``/wrapped`` returns the wrapper inside another iterable, as middleware does.
"""

from __future__ import annotations

import contextlib
import gzip
import io
from pathlib import Path
from urllib.parse import parse_qs


def application(environ, start_response):
    query = {key: values[0] for key, values in parse_qs(environ["QUERY_STRING"]).items()}
    headers = [("Content-Type", "application/octet-stream")]
    if "length" in query:
        headers.append(("Content-Length", query["length"]))
    start_response("200 OK", headers)
    path = environ["PATH_INFO"]
    if path == "/memory":
        file = io.BytesIO(b"0123456789" * 2000)
    elif path == "/gzip":
        file = gzip.open(query["path"])  # noqa: SIM115 - the server closes it
    else:
        file = Path(query["path"]).open("rb")  # noqa: SIM115 - the server closes it
    file.seek(int(query.get("offset", "0")))
    wrapper = environ["wsgi.file_wrapper"](file, 4096)
    return closing_blocks(wrapper) if path == "/wrapped" else wrapper


def closing_blocks(wrapper):
    with contextlib.closing(wrapper):
        yield from wrapper
