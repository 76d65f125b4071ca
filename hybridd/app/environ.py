"""The WSGI environ (PEP 3333, RFC 3875): a part per listener, made once, and a part per request.

Knows:     the names of the variables and how a request's words become them.
Never:     the application; the connection.
Runs in:   the leader, or whichever thread prepares an exchange.
"""

from __future__ import annotations

import socket
from io import BytesIO
from typing import Any, TextIO
from urllib.parse import unquote

from hybridd import __version__
from hybridd.app.file_wrapper import FileWrapper
from hybridd.http.body import NO_BODY
from hybridd.http.request import KnownFields, Request

_SHORT = 256
"""Bytes of a target that may come again as the same object; longer ones would be a client's way to our memory."""

# Already in the shared part, with None: request_environ then fills a dict of the right size instead of growing one
# (0.3 µs of 0.75), and what a client sends as header fields can never be in their place.
PER_REQUEST = (
    "REQUEST_METHOD",
    "PATH_INFO",
    "QUERY_STRING",
    "RAW_URI",  # gunicorn's name
    "REQUEST_URI",  # Apache's and uWSGI's
    "SERVER_PROTOCOL",
    "REMOTE_ADDR",
    "wsgi.input",
    "hybridd.request_id",
)


def base_environ(local: str, *, scheme: str, multithread: bool, multiprocess: bool, errors: TextIO) -> dict[str, Any]:
    """Return what all requests of one listener share; ``local`` is its address as text."""
    name, port = _server_of(local, scheme)
    return {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "SCRIPT_NAME": "",
        "SERVER_NAME": name,
        "SERVER_PORT": port,
        "SERVER_SOFTWARE": f"hybridd/{__version__}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.errors": errors,
        "wsgi.multithread": multithread,
        "wsgi.multiprocess": multiprocess,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        "wsgi.input_terminated": True,  # read() ends by itself, also when the client's body was chunked
        **dict.fromkeys(PER_REQUEST),
    }


class _Template:
    """The environ of all requests with the same known fields (so of HTTP/1.1) to the same listener.

    Who polls asks for the same thing again and again: when ``target`` came twice, its words are in ``environ`` too.
    Threads share it, so nothing of it ever changes but ``seen``.
    """

    __slots__ = ("base", "environ", "method", "seen", "target")

    def __init__(self, base: dict[str, Any], environ: dict[str, Any], method: str = "", target: bytes = b"") -> None:
        self.base = base
        self.environ = environ
        self.method = method
        self.target = target
        self.seen = target  # the last one that was asked for


def request_environ(base: dict[str, Any], request: Request) -> dict[str, Any]:
    """Return the environ of one request: the application's own, to change as it likes."""
    fields = request.fields
    if type(fields) is KnownFields:  # merged once: to copy the result costs half a merge
        template = fields.derived
        if template is None or template.base is not base:
            template = fields.derived = _Template(base, base | fields | {"SERVER_PROTOCOL": "HTTP/1.1"})
        environ: dict[str, Any] = template.environ.copy()
        # The same line gives the same objects (known_heads.py); others may well be equal, and are not looked at.
        if request.target is not template.target or request.method is not template.method:
            _set_line(environ, request)
            if request.target is template.seen:
                fields.derived = _Template(base, environ.copy(), request.method, request.target)
            elif len(request.target) <= _SHORT:
                template.seen = request.target
    else:
        environ = base | fields
        _set_line(environ, request)
        environ["SERVER_PROTOCOL"] = "HTTP/1.1" if request.version[1] else "HTTP/1.0"
        if "HTTP_TRANSFER_ENCODING" in environ:  # the body is complete and decoded: RFC 9112 7.1.3 says to put it so
            del environ["HTTP_TRANSFER_ENCODING"]
            environ["CONTENT_LENGTH"] = str(request.body.length)
    environ["REMOTE_ADDR"] = request.peer
    environ["wsgi.input"] = BytesIO() if request.body is NO_BODY else request.body.open()
    environ["hybridd.request_id"] = request.known_id or request.make_id()
    if request.peer_port:
        environ["REMOTE_PORT"] = str(request.peer_port)
    return environ


def _set_line(environ: dict[str, Any], request: Request) -> None:
    """Say what the request line says."""
    path = request.path
    if "%" in path:
        path = unquote(path, "latin-1")  # bytes as code points, as PEP 3333 wants them ("unicode issues")
    elif path == "*":
        path = ""  # OPTIONS *: RFC 3875 4.1.5 wants a path here, RAW_URI has the asterisk
    environ["REQUEST_METHOD"] = request.method
    environ["PATH_INFO"] = path
    environ["QUERY_STRING"] = request.query
    environ["RAW_URI"] = environ["REQUEST_URI"] = request.target.decode("latin-1")


def _server_of(local: str, scheme: str) -> tuple[str, str]:
    """Return SERVER_NAME and SERVER_PORT for a listener; neither may be empty (PEP 3333)."""
    host, colon, port = local.rpartition(":")
    if not colon or not port.isdigit() or host.startswith("unix:"):
        return "localhost", "443" if scheme == "https" else "80"
    host = host.strip("[]")
    if host in {"", "0.0.0.0", "::", "*"}:  # noqa: S104 - a comparison, not a bind
        host = socket.gethostname() or "localhost"
    return host, port
