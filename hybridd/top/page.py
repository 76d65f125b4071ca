"""The page of `hybridd top` as lines: what stands where, for a window of any size.

Knows:     the Watch, how many lines and columns there are.
Never:     draws; nothing that came from outside gets through unescaped.
Runs in:   the command line tool; pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hybridd.top.columns import age_text, latency_text, mean_text, ordered, rate_text, share_text, size_text, table
from hybridd.top.figures import LOOP, Call, Picture, Totals, Worker
from hybridd.top.watch import AT_FIRST, Reading, Watch

NARROWEST, LOWEST = 40, 10
LOOKING: Final = "q quit  ? help  ↑↓ choose  ←→ sort"
ORDERING: Final = "r reload  + - scale  w restart  s stacks  l reopen logs"
ROUND_THE_TABLES: Final = 7
"""Lines that are neither workers nor calls: four above, the two headings, one below."""

_GAP = "  "


class Style(StrEnum):
    """How a line looks; screen.py knows the colours."""

    PLAIN = "plain"
    TITLE = "title"
    HEADING = "heading"
    CHOSEN = "chosen"
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"
    FAINT = "faint"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the page."""

    text: str
    style: Style = Style.PLAIN


_STATES: Final = {"running": Style.GOOD, "degraded": Style.BAD}
_WORKER_STATES: Final = {"ready": Style.PLAIN, "hung": Style.BAD}


def compose(watch: Watch, width: int, height: int) -> list[Line]:
    """Return the page for a window."""
    picture = watch.picture
    if width < NARROWEST or height < LOWEST:
        small = f"window too small: {width}x{height}, {NARROWEST}x{LOWEST} needed"
        return [Line(small, Style.WARNING), Line(clean(watch.lost or picture.status))][:height]
    if watch.reading is not None:
        return _reading(watch.reading, height)
    body = [*_head(watch, width), *_tables(watch, width, height)]
    body += [Line("")] * (height - 1 - len(body))
    return [*body[: height - 1], _foot(watch)]


def plain(picture: Picture, width: int) -> str:
    """Return the page as text, whole, for a file or a pipe."""
    workers = ordered(picture.workers, AT_FIRST, turned=False)
    lines = [_title(picture), clean(picture.status), _fitting(_totals(picture.totals), width), ""]
    lines += [*table(workers, width), "", _calls_heading(picture), *_call_lines(picture.calls)]
    return "\n".join(lines)


def clean(text: str) -> str:
    """Escape what is no visible character: a path in a request must not write to the terminal."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def share_lines(lines: int, workers: int, calls: int) -> tuple[int, int]:
    """Return how many lines workers and calls get of ``lines``: calls a third at least when they need it."""
    for_workers = min(workers, lines - min(calls, lines // 3))
    return for_workers, min(calls, lines - for_workers)


def window(rows: int, at: int, most: int) -> range:
    """Return which of the rows are shown: ``most`` of them, the one ``at`` among them."""
    first = min(max(0, at - most // 2), max(0, rows - most))
    return range(first, min(rows, first + most))


def _head(watch: Watch, width: int) -> Iterator[Line]:
    picture = watch.picture
    yield Line(_title(picture), Style.TITLE)
    if watch.lost:
        yield Line(clean(f"old figures, waiting: {watch.lost}"), Style.BAD)
    else:
        yield Line(clean(picture.status), _STATES.get(picture.state, Style.WARNING))
    yield Line(_fitting(_totals(picture.totals), width))


def _title(picture: Picture) -> str:
    application = clean(picture.application)
    return f"hybridd {picture.version}  pid {picture.pid}  up {age_text(picture.uptime)}  {application}"


def _totals(totals: Totals) -> list[str]:
    pace = totals.pace
    found = [
        f"req/s {rate_text(pace.requests)}",
        f"p50 {latency_text(pace.p50)}",
        f"p99 {latency_text(pace.p99)}",
        f"running {totals.running}",
        f"queued {totals.queued}",
        *([] if totals.backlog is None else [f"backlog {totals.backlog}/{totals.backlog_limit}"]),
        f"connections {totals.connections}",
        f"cpu% {share_text(pace.cpu)}",
        f"rss {size_text(totals.rss)}",
        f"mean {mean_text(pace.mean)}",
    ]
    if totals.pss is not None:
        found.append(f"pss {size_text(totals.pss)}")
    return found


def _fitting(items: Sequence[str], width: int) -> str:
    text = items[0]
    for item in items[1:]:
        if len(text) + len(_GAP) + len(item) > width:
            break
        text += _GAP + item
    return text


def _tables(watch: Watch, width: int, height: int) -> Iterator[Line]:
    picture, workers = watch.picture, watch.workers
    for_workers, for_calls = share_lines(height - ROUND_THE_TABLES, len(workers), len(picture.calls))
    slots = [worker.slot for worker in workers]
    rows = window(len(workers), slots.index(watch.chosen) if watch.chosen in slots else 0, for_workers)
    hidden = len(workers) - len(rows)
    yield Line(f"{len(rows)} of {len(workers)} workers are shown: ↑↓" if hidden else "", Style.FAINT)
    heading, *lines = table(workers, width, watch.sort, "▴" if watch.turned else "▾")
    yield Line(heading, Style.HEADING)
    for row in rows:
        yield Line(lines[row], _style_of(watch, workers[row]))
    calls = picture.calls[:for_calls]
    more = len(picture.calls) - len(calls)
    yield Line(_calls_heading(picture) + (f"; {more} more do not fit" if more else ""), Style.HEADING)
    for text in _call_lines(calls):
        yield Line(text, Style.FAINT if watch.lost else Style.PLAIN)


def _style_of(watch: Watch, worker: Worker) -> Style:
    if watch.lost:
        return Style.FAINT
    if worker.slot == watch.chosen:
        return Style.CHOSEN
    return _WORKER_STATES.get(worker.state, Style.WARNING)


def _calls_heading(picture: Picture) -> str:
    totals = picture.totals
    if not (totals.running or totals.queued or picture.calls):
        return "no calls in flight"
    unnamed = totals.running - sum(call.state in {"running", LOOP} for call in picture.calls)
    heading = f"calls in flight, oldest first: {totals.running} running, {totals.queued} queued"
    return heading + (f"; {unnamed} without a name" if unnamed > 0 else "")


def _call_lines(calls: Sequence[Call]) -> list[str]:
    return [f"{call.slot:>4}  {age_text(call.age):>6}  {call.state:<9}  {_what(call)}" for call in calls]


def _what(call: Call) -> str:
    if call.state == LOOP:
        return "the loop stands still: a handler runs on it"
    return f"{clean(call.method)} {clean(call.path)}  ({clean(call.request)})"


def _reading(reading: Reading, height: int) -> list[Line]:
    lines = [Line(clean(line)) for line in reading.lines[reading.at : reading.at + height - 2]]
    lines += [Line("")] * (height - 2 - len(lines))
    return [Line(clean(reading.title), Style.TITLE), *lines, Line("q back  ↑↓ PgUp PgDn scroll", Style.HEADING)]


def _foot(watch: Watch) -> Line:
    if watch.asked is not None:
        return Line(f"{watch.asked.question} (y/n)", Style.WARNING)
    if watch.said:
        return Line(clean(watch.said), Style.BAD if watch.failed else Style.GOOD)
    if watch.busy is not None:
        return Line(f"{watch.busy.words} …", Style.WARNING)
    return Line(LOOKING + _GAP + (ORDERING if watch.may_order else f"read-only: {watch.where}"), Style.FAINT)
