"""``hybridd health``: ask a running hybridd whether it is ready, or alive.

For ``HEALTHCHECK`` and the like: exit status 0 or 1 (Docker knows no other), one line that says why.

Knows:     the admin address, as configured; HTTP as a client.
Never:     whether the rest of the configuration is right: a running service is not ill because its file is.
Runs in:   the command line tool.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from hybridd.cli.arguments import Parser, add_settings, new_parser, read
from hybridd.config.address import Address, Kind
from hybridd.config.conversion import format_duration
from hybridd.config.kind import Raw, Refused
from hybridd.config.loading import find
from hybridd.config.quantities import duration
from hybridd.errors import ConfigurationError, ExitCode, UsageError

DESCRIPTION = """\
Ask the admin address of a running hybridd, found as hybridd run finds it, for /readyz. Prints the answer; exit status
0 when it is ready, 1 when it is not or does not answer."""

# Below the 3s that a container's health check usually has, so that our reason is seen and not its.
PATIENCE = "2s"
LONGEST_ANSWER = 4096
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to ask who listens everywhere


class Unhealthy(Exception):  # noqa: N818 - an answer, not a failure
    """Why it is not healthy."""


def make_parser() -> Parser:
    """Return what it understands."""
    parser = new_parser("health", DESCRIPTION)
    parser.add_argument("--live", action="store_true", help="ask /healthz: is the master alive, ready or not")
    parser.add_argument("--timeout", metavar="DURATION", default=PATIENCE, help=f"how long to wait ({PATIENCE})")
    add_settings(parser, "admin")
    return parser


def main(arguments: Sequence[str]) -> int:
    """Print the verdict, return 0 or 1."""
    given = read(make_parser(), arguments)
    seconds = _seconds(given.options.timeout)
    try:
        address = find("admin", given.files, os.environ, given.flags)
        said = ask(reachable(address), "/healthz" if given.options.live else "/readyz", seconds)
    except ConfigurationError as error:
        said = "\nhybridd: ".join(error.problems)
    except Unhealthy as reason:
        said = str(reason)
    else:
        sys.stdout.write(f"{said}\n")
        return ExitCode.CLEAN
    sys.stderr.write(f"hybridd: {said}\n")
    return 1


def _seconds(text: str) -> float:
    try:
        seconds: float = duration(0.1, 3600.0, PATIENCE).convert(Raw(text))
    except Refused as refused:
        raise UsageError(f"--timeout: {refused}") from None
    return seconds


def reachable(admin: Address | None) -> Address:
    """Return where to ask; raises Unhealthy when that cannot be known."""
    if admin is None:
        raise Unhealthy("the admin address is off, so nobody can be asked; give --admin ADDRESS to both commands")
    if admin.kind in (Kind.FD, Kind.SYSTEMD) or (admin.kind is Kind.TCP and admin.port == 0):
        raise Unhealthy(
            f"where {admin} leads is only known to the running hybridd; give --admin HOST:PORT or unix:PATH"
        )
    if admin.kind is Kind.TCP:
        return Address(Kind.TCP, host=LOOPBACK.get(admin.host, admin.host), port=admin.port)
    return admin


def ask(address: Address, path: str, seconds: float) -> str:
    """Return what ``address`` says when it is healthy; raises Unhealthy with the reason."""
    connection = _Connection(address, seconds)
    # An absolute deadline: the timeout of a socket begins anew with every byte.
    signal.signal(signal.SIGALRM, _too_late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        response = connection.getresponse()
        return judge(address, response.status, response.read(LONGEST_ANSWER))
    except (OSError, http.client.HTTPException) as error:
        raise Unhealthy(explain(address, error, seconds)) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        connection.close()


def _too_late(_: int, __: FrameType | None) -> NoReturn:
    raise TimeoutError


class _Connection(http.client.HTTPConnection):
    """A connection to an address of ours."""

    def __init__(self, address: Address, seconds: float) -> None:
        super().__init__(address.host or "localhost", address.port or None, timeout=seconds)
        self._address = address

    def connect(self) -> None:
        if self._address.kind is Kind.UNIX:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(self.timeout)
            self.sock.connect(self._address.path)
        else:
            super().connect()


def judge(address: Address, status: int, body: bytes) -> str:
    """Return the first line of a good answer; raise Unhealthy with that of a bad one."""
    lines = body.decode(errors="replace").strip().splitlines() or [""]
    said = "".join(character for character in lines[0] if character.isprintable())
    if status == http.client.OK:
        return said or "ok"
    raise Unhealthy(f"{address} answers {status}{f': {said}' if said else ''}")


def explain(address: Address, error: Exception, seconds: float) -> str:
    """Return what an error of asking means for the operator."""
    match error:
        case TimeoutError():
            return f"{address} does not answer within {format_duration(seconds)}"
        case ConnectionRefusedError() | FileNotFoundError():
            return f"nobody listens on {address}; is hybridd running, with this admin address?"
        case ConnectionResetError():  # http.client.RemoteDisconnected is one
            return f"{address} hung up without an answer"
        case http.client.HTTPException():
            return f"{address} does not answer in HTTP; is it the admin address?"
        case OSError():
            return f"cannot ask {address}: {error.strerror or error}"
        case _:
            return f"cannot ask {address}: {error}"
