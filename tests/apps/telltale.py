"""Says what it was asked (the query, unquoted) in every way that hybridd sees, as a careless application does."""

from __future__ import annotations

import sys
import urllib.parse
from collections.abc import Iterable
from typing import Any


def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    said = urllib.parse.unquote(environ["QUERY_STRING"])
    environ["wsgi.errors"].write(f"{said}\n")
    environ["wsgi.errors"].flush()
    if environ["PATH_INFO"] == "/raise":
        raise ValueError(said)
    if environ["PATH_INFO"] == "/exit":
        sys.exit(said)
    start_response("200 OK", [("Content-Length", "3")])
    return [b"ok\n"]
