"""``hybridd top``: watch the workers of a running hybridd, with keys for the verbs.

Over the control socket all of it; over an admin address (``--admin``) the same figures, and nothing can be changed.

Knows:     whom to ask, and whether there is a terminal to draw on.
Never:     what is shown (the package top).
Runs in:   the command line tool.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec
from math import inf
from shutil import get_terminal_size
from threading import Event
from typing import Any

from hybridd.cli import health
from hybridd.cli.arguments import Given, Parser, add_settings, new_parser, read
from hybridd.cli.verb import MARGIN, Connection, NoAnswerError, socket_of
from hybridd.compare.interruption import Interruption, interruptible
from hybridd.config.address import Address, AddressError, Kind, parse_address
from hybridd.config.kind import Raw, Refused
from hybridd.config.quantities import duration
from hybridd.errors import ExitCode, UsageError
from hybridd.top.figures import Look, Picture, picture
from hybridd.top.page import plain
from hybridd.top.watch import Order, begin

DESCRIPTION = """\
Watch a running hybridd: per worker its state, load, requests per second, latency, memory, CPU; the Calls in flight,
oldest first. Keys reload, scale, restart a worker and show stacks (? lists them); q leaves. Without a terminal, or
with --once, the figures of one interval are printed."""

USUAL_DELAY = "1s"
MISSING = "hybridd top needs the library rich to draw: pip install 'hybridd[top]' (hybridd top --once does without)"


class ControlSource:
    """Asks by the control socket."""

    def __init__(self, path: str) -> None:
        self.where = path
        self.may_order = True

    def look(self) -> Look:
        """Return /status."""
        return self._ask("GET", "/status", {}, MARGIN)

    def order(self, order: Order) -> tuple[bool, str]:
        """Call a verb and wait for its verdict."""
        answer = self._ask(order.method, order.path, order.arguments, None)
        return answer["ok"], str(answer["message"])

    def _ask(self, method: str, path: str, query: Any, patience: float | None) -> Look:
        connection = Connection(self.where)
        try:
            return connection.ask(method, path, query, patience)
        finally:
            connection.close()


class AdminSource:
    """Asks an admin address."""

    def __init__(self, address: Address) -> None:
        self.where = str(address)
        self.may_order = False
        self._address = address

    def look(self) -> Look:
        """Return /status."""
        connection = AdminConnection(self._address)
        try:
            return checked(connection.ask("GET", "/status", {}, MARGIN), connection.explain_text(""))
        except json.JSONDecodeError:
            raise NoAnswerError(connection.explain_text("")) from None
        finally:
            connection.close()

    def order(self, order: Order) -> tuple[bool, str]:
        """Refuse: nothing can be changed here."""
        return False, f"{self.where} is read-only, {order.words} needs the control socket"


class AdminConnection(Connection):
    """A connection to an admin address."""

    def __init__(self, address: Address) -> None:
        super().__init__(address.path or str(address))
        self._address = address

    def connect(self) -> None:
        """Connect to the address."""
        if self._address.kind is Kind.UNIX:
            super().connect()
        else:
            self.sock = socket.create_connection((self._address.host, self._address.port), MARGIN)

    def explain(self, error: Exception) -> str:
        """Return what an error of asking means for the operator."""
        return health.explain(self._address, error, MARGIN)

    def explain_text(self, _: str) -> str:
        """Return what an answer means that is not ours, and may be a long one."""
        return f"{self._address} does not answer /status as hybridd does; is it the admin address?"


def checked(answer: Any, otherwise: str) -> Look:
    """Return an answer that can be shown; NoAnswerError says ``otherwise``."""
    try:
        picture(None, answer)
    except (LookupError, TypeError, ValueError, AttributeError):
        raise NoAnswerError(otherwise) from None
    look: Look = answer
    return look


Source = ControlSource | AdminSource


def make_parser() -> Parser:
    """Return what it understands."""
    parser = new_parser("top", DESCRIPTION)
    parser.add_argument("-d", "--delay", metavar="SECONDS", default=USUAL_DELAY, help="between two looks (1)")
    parser.add_argument("--once", action="store_true", help="print the figures of one interval as text")
    parser.add_argument("--json", action="store_true", help="print the figures of one interval as JSON")
    parser.add_argument("--admin", metavar="URL", help="ask this admin address, not the control socket: read-only")
    add_settings(parser, "control")
    return parser


def main(arguments: Sequence[str]) -> int:
    """Watch until the reader leaves, or print one interval; 0, or 1 when nobody answers at the start."""
    given = read(make_parser(), arguments)
    delay = seconds(given.options.delay)
    source = source_of(given)
    if given.options.json or given.options.once or not _is_terminal():
        return once(source, delay, as_json=given.options.json)
    if find_spec("rich") is None:
        raise UsageError(MISSING)
    from hybridd.top.live import run  # noqa: PLC0415 - imports rich, an extra

    try:
        with interruptible():
            number = run(source, begin(source.where, source.look(), may_order=source.may_order), delay)
    except Interruption as interruption:
        number = interruption.number
    return 128 + number if number else ExitCode.CLEAN  # what a shell reports for who ends by a signal


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def seconds(text: str) -> float:
    """Return the delay: seconds as top(1) has them, or a duration as everywhere here."""
    bare = text.replace(".", "", 1).isdecimal()
    try:
        found: float = duration(0.1, 3600.0, USUAL_DELAY).convert(Raw(f"{text}s" if bare else text))
    except Refused as refused:
        raise UsageError(f"-d, --delay: {refused}") from None
    return found


def source_of(given: Given) -> Source:
    """Return whom to ask."""
    if given.options.admin is not None:
        return AdminSource(admin_address(given.options.admin))
    try:
        return ControlSource(socket_of(given))
    except NoAnswerError as error:
        raise NoAnswerError(f"{error}; or give --admin URL, which is read-only") from None


def admin_address(url: str) -> Address:
    """Return the address in a URL; one without http:// is taken as the setting ``admin`` would be."""
    scheme, separator, rest = url.partition("://")
    if separator and scheme != "http":
        raise UsageError(f"--admin: expected http://HOST:PORT, HOST:PORT or unix:PATH, got {url}")
    try:
        address = parse_address(rest.rstrip("/") if separator else url)
        return health.reachable(address)
    except (AddressError, health.Unhealthy) as error:
        raise UsageError(f"--admin: {error}") from None


def once(source: Source, delay: float, *, as_json: bool) -> int:
    """Print what happened in one interval."""
    before = source.look()
    Event().wait(delay)  # nobody sets it
    shown = picture(before, source.look())
    if as_json:
        sys.stdout.write(f"{json.dumps(in_json(shown), indent=2)}\n")
    else:
        width = get_terminal_size().columns if sys.stdout.isatty() else 10_000
        sys.stdout.write(f"{plain(shown, width)}\n")
    return ExitCode.CLEAN


def in_json(shown: Picture) -> dict[str, Any]:
    """Return the picture for programs: latencies beyond the last bucket are null, as are those of no request."""
    return {"ok": True, "message": shown.status, **_finite(asdict(shown))}


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if value == inf else value
