"""``hybridd status``: how a running hybridd is; with ``--deaths`` what its workers died of.

Knows:     what /status says.
Runs in:   the command line tool.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hybridd.cli.arguments import Parser
from hybridd.cli.verb import Answer, new_verb, read_verb, run_verb
from hybridd.config.conversion import MIB

DESCRIPTION = """\
Show how a running hybridd is: its workers, listeners, the last reload. With --deaths the certificates of the last 100
workers that ended: what of, after what life, and what they were doing."""

COLUMNS = ("slot", "pid", "gen", "state", "up", "rss", "pss", "connections", "running", "queued", "requests")


def make_parser() -> Parser:
    """Return what it understands."""
    parser = new_verb("status", DESCRIPTION)
    parser.add_argument("--deaths", action="store_true", help="what the workers died of")
    return parser


def main(arguments: Sequence[str]) -> int:
    """Print the status, return 0."""
    given, _ = read_verb(make_parser(), arguments)
    wanted = {"stacks": "1"} if given.options.deaths else {}
    return run_verb(given, "GET", "/status", wanted, deaths if given.options.deaths else overview)


def overview(answer: Answer) -> str:
    """Return the status for people."""
    rows = [COLUMNS, *(worker(one) for one in answer["workers"])]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    table = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join([*facts(answer), "", *table])


def facts(answer: Answer) -> Iterator[str]:
    """Yield the lines above the table."""
    yield f"{answer['status']}"
    yield f"hybridd {answer['version']}, pid {answer['pid']}, up {age(answer['uptime'])}: {answer['application']}"
    # A running hybridd may be older than this command.
    places = (f"{one['address']} {one.get('words', '')}".rstrip() for one in answer["listeners"])
    yield f"listening on {', '.join(places)}"
    if answer["admin"]:
        yield f"admin on {', '.join(answer['admin'])}"
    for one in answer["fork_servers"]:
        size = f", {one['rss'] / MIB:.0f}M" if one["rss"] else ""
        yield f"fork server of generation {one['generation']}: pid {one['pid']}, {one['state']}{size}"
    by_cause = answer["deaths"]["by_cause"]
    if by_cause:
        causes = ", ".join(f"{count} {cause}" for cause, count in by_cause.items())
        yield f"ended workers: {causes} (hybridd status --deaths)"


def worker(one: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the cells of one worker."""
    return (
        str(one["slot"]),
        str(one["pid"] or "-"),
        str(one["generation"]),
        f"{one['state']} ({one['why']})" if one["why"] else one["state"],
        age(one["uptime"]),
        *("-" if one[key] is None else f"{one[key] / MIB:.0f}M" for key in ("rss", "pss")),
        *(str(one[key]) for key in ("connections", "calls_running", "calls_queued", "requests")),
    )


def deaths(answer: Answer) -> str:
    """Return the death certificates for people, the newest last."""
    lines = []
    for one in answer["deaths"]["kept"]:
        lines.append(
            f"{age(one['age'])} ago: {one['what']}; lived {age(one['uptime'])}, {one['requests']} requests,"
            f" {one['rss'] / MIB:.0f}M"
        )
        lines += [f"  | {line}" for line in (one.get("stacks") or "").splitlines() if line]
    return "\n".join(lines) or "no worker has ended yet"


def age(seconds: float) -> str:
    """Return for example 12s, 3m04s, 2h05m, 3d04h."""
    whole = int(seconds)
    if whole < 60:  # noqa: PLR2004 - a minute
        return f"{whole}s"
    if whole < 3600:  # noqa: PLR2004 - an hour
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < 86400:  # noqa: PLR2004 - a day
        return f"{whole // 3600}h{whole // 60 % 60:02}m"
    return f"{whole // 86400}d{whole // 3600 % 24:02}h"
