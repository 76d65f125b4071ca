"""What the verbs share: find the control socket of a running hybridd, ask, print the answer, end with its meaning.

Knows:     the socket's place, HTTP as a client.
Never:     whether the rest of the configuration is right: a running service is not ill because its file is.
Runs in:   the command line tool.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from hybridd.cli.arguments import Given, Parser, add_settings, new_parser, read_names, read_options, refuse_further
from hybridd.config.control import FILE, control_path
from hybridd.config.kind import Raw, Refused
from hybridd.config.loading import find
from hybridd.config.quantities import duration
from hybridd.errors import ExitCode, HybriddError, UsageError

# Where systemd's RuntimeDirectory=hybridd is, for who asks from outside of the unit.
USUAL: Final = Path("/run/hybridd") / FILE

MARGIN: Final = 2.0
"""Seconds beyond its own ``--timeout`` that the server has to say that it is late."""

Answer = Mapping[str, Any]
Show = Callable[[Answer], str]


class NoAnswerError(HybriddError):
    """The running hybridd cannot be asked, or does not answer."""


def message(answer: Answer) -> str:
    """Return what the answer says to people."""
    return str(answer["message"])


def new_verb(name: str, description: str, *, waits: str = "") -> Parser:
    """Return the parser of a verb; ``waits``: the default of ``--timeout`` in words, when the verb waits."""
    parser = new_parser(name, description)
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    if waits:
        parser.add_argument("--timeout", metavar="DURATION", help=f"how long to wait at most ({waits})")
    add_settings(parser, "control")
    return parser


def read_verb(parser: Parser, arguments: Sequence[str], *, most: int = 0) -> tuple[Given, list[str]]:
    """Read the arguments of a verb, of which up to ``most`` are its own numbers."""
    given, rest = read_options(parser, arguments)
    words = [argument for argument in rest if argument.lstrip("-").isdecimal()][:most]
    for word in words:
        rest.remove(word)  # -3 is a wrong number rather than an unknown flag
    refuse_further(parser, read_names(parser, rest))
    return given, words


def whole_number(text: str, what: str) -> int:
    """Return a number from the command line."""
    if not text.isdecimal():
        raise UsageError(f"expected {what}, got {text or 'nothing'}")
    return int(text)


def run_verb(given: Given, method: str, path: str, arguments: Mapping[str, object], show: Show = message) -> int:
    """Ask, print, and return 0, or 1 when the wish did not come true.

    Raises:
        NoAnswerError: there is nobody to ask.
    """
    query = dict(arguments)
    seconds = _seconds(getattr(given.options, "timeout", None))
    if seconds is not None:
        query["timeout"] = f"{seconds:g}"
    with closing(Connection(socket_of(given))) as connection:
        answer = connection.ask(method, path, query, None if seconds is None else seconds + MARGIN)
        if path in ENDING and answer["ok"]:
            connection.wait_end()
    text = json.dumps(answer, indent=2) if given.options.json else show(answer)
    if answer["ok"] or given.options.json:
        sys.stdout.write(f"{text}\n")
    else:
        sys.stderr.write(f"hybridd: {text}\n")
    return ExitCode.CLEAN if answer["ok"] else ExitCode.UNEXPECTED


ENDING: Final = frozenset({"/stop", "/drain", "/upgrade"})
"""Behind their good answer comes the end of the process."""


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    if text == "0":
        return 0.0
    try:
        seconds: float = duration(0.1, 86400.0, "30s").convert(Raw(text))
    except Refused as refused:
        raise UsageError(f"--timeout: {refused}") from None
    return seconds


def socket_of(given: Given) -> str:
    """Return the path of the control socket; NoAnswerError when it cannot be known."""
    setting = find("control", given.files, os.environ, given.flags)
    path = control_path(setting, os.environ)
    if path:
        return path
    if setting == "off":
        raise NoAnswerError("the control socket is off (control: off); set control: PATH and restart hybridd")
    if USUAL.exists():
        return str(USUAL)
    raise NoAnswerError(
        f"no control socket is known: there is no $RUNTIME_DIRECTORY and no {USUAL}; give --control PATH or -c FILE"
        " (hybridd run needs the same)"
    )


class Connection(http.client.HTTPConnection):
    """A connection to a control socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        """Connect to the socket's file."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(MARGIN)
        self.sock.connect(self._path)

    def ask(self, method: str, path: str, query: Mapping[str, object], patience: float | None) -> Answer:
        """Return the answer, after at most ``patience`` seconds (None: whenever it comes)."""
        try:
            self.connect()
            self.sock.settimeout(patience)
            self.request(method, f"{path}?{urlencode(query)}" if query else path)
            response = self.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswerError(self.explain(error)) from None
        if response.headers.get_content_type() != "application/json":
            raise NoAnswerError(self.explain_text(body.decode(errors="replace").strip()))
        answer: Answer = json.loads(body)
        return answer

    def explain(self, error: Exception) -> str:
        """Return what an error of asking means for the operator."""
        return explain(self._path, error)

    def explain_text(self, text: str) -> str:
        """Return what an answer that is no JSON means for the operator."""
        return f"{self._path}: {text}"

    def wait_end(self) -> None:
        """Wait until the process at the other end is gone: its kernel closes the connection."""
        with suppress(OSError):  # gone in a hurry
            while self.sock.recv(1):
                pass


def explain(path: str, error: Exception) -> str:
    """Return what an error of asking means for the operator."""
    match error:
        case TimeoutError():
            return f"{path} does not answer: the master hangs or is stopped"
        case ConnectionRefusedError() | FileNotFoundError():
            return f"nobody listens on {path}; is hybridd running, with this control socket?"
        case PermissionError():
            return f"{path} is closed to this user; only root and the user that hybridd runs as may ask"
        case ConnectionError():  # http.client.RemoteDisconnected is one
            return f"{path} hung up without an answer; only root and the user that hybridd runs as may ask"
        case OSError():
            return f"cannot ask {path}: {error.strerror or error}"
        case _:
            return f"{path} does not answer in HTTP: {error}"
