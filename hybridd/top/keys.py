"""The keys of `hybridd top`: one table for what they do, the help, and the manual.

Knows:     names of keys (terminal.py makes them from bytes), what each makes of the Watch, which verb it calls.
Never:     calls a verb: an Order is a value.
Runs in:   the command line tool; pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from hybridd.top.columns import shown
from hybridd.top.watch import Order, Reading, Watch, tell

Pressed = tuple[Watch, Order | None]
PAGE: Final = 10


@dataclass(frozen=True, slots=True)
class Key:
    """Keys that do the same, how they are written, and what they do."""

    names: tuple[str, ...]
    label: str
    help: str
    press: Callable[[Watch], Pressed]


def pressed(watch: Watch, name: str) -> Pressed:
    """Return what a key makes of it, and the verb to be called now if it calls one."""
    if name == "end of file":
        return replace(watch, over=True), None
    watch = tell(watch, "")
    if watch.asked is not None:
        order = watch.asked
        watch = replace(watch, asked=None)
        return _carry_out(watch, order) if name in {"y", "Y"} else (tell(watch, f"{order.words}: not done"), None)
    if watch.reading is not None:
        return _read(watch, watch.reading, name), None
    key = BY_NAME.get(name)
    return key.press(watch) if key is not None else (watch, None)


def _read(watch: Watch, reading: Reading, name: str) -> Watch:
    if name in {"q", "Q", "escape", "enter"}:
        return replace(watch, reading=None)
    last = len(reading.lines) - 1
    steps = {"up": -1, "down": 1, "page up": -PAGE, "page down": PAGE, " ": PAGE, "home": -last, "end": last}
    at = min(max(0, reading.at + steps.get(name, 0)), last)
    return replace(watch, reading=replace(reading, at=at))


def _quit(watch: Watch) -> Pressed:
    return replace(watch, over=True), None


def _help(watch: Watch) -> Pressed:
    width = max(len(key.label) for key in KEYS)
    lines = [f"{key.label.ljust(width)}  {key.help}" for key in KEYS]
    if not watch.may_order:
        lines += ["", f"read-only ({watch.where}): keys that change something need the control socket"]
    return replace(watch, reading=Reading("keys", tuple(lines))), None


def _choose(step: int) -> Callable[[Watch], Pressed]:
    def press(watch: Watch) -> Pressed:
        slots = [worker.slot for worker in watch.workers]
        if not slots:
            return watch, None
        at = slots.index(watch.chosen) if watch.chosen in slots else 0
        return replace(watch, chosen=slots[min(max(0, at + step), len(slots) - 1)]), None

    return press


def _sort_beside(step: int) -> Callable[[Watch], Pressed]:
    def press(watch: Watch) -> Pressed:
        headings = [column.heading for column in shown(watch.picture.workers)]
        at = headings.index(watch.sort) if watch.sort in headings else 0
        return replace(watch, sort=headings[(at + step) % len(headings)], turned=False), None

    return press


def _sort_by(heading: str) -> Callable[[Watch], Pressed]:
    return lambda watch: (replace(watch, sort=heading, turned=False), None)


def _turn(watch: Watch) -> Pressed:
    return replace(watch, turned=not watch.turned), None


def _order(make: Callable[[Watch], Order]) -> Callable[[Watch], Pressed]:
    """Return what a key does that calls a verb: refuse, ask first, or carry it out."""

    def press(watch: Watch) -> Pressed:
        order = make(watch)
        if not watch.may_order:
            return tell(watch, f"read-only: {order.words} needs the control socket", failed=True), None
        if watch.busy is not None:
            return tell(watch, f"{order.words}: {watch.busy.words} is still under way", failed=True), None
        return (replace(watch, asked=order), None) if order.question else _carry_out(watch, order)

    return press


def _carry_out(watch: Watch, order: Order) -> Pressed:
    return replace(watch, busy=order), order


def _scale(watch: Watch, step: int) -> Order:
    wanted = max(1, watch.picture.wanted + step)
    question = f"Scale down to {wanted}?" if step < 0 else ""
    return Order(f"scale {wanted}", "POST", "/scale", {"workers": wanted}, question)


def _restart(watch: Watch) -> Order:
    words = f"worker restart {watch.chosen}"
    question = f"Replace the worker in slot {watch.chosen} by another one?"
    return Order(words, "POST", "/restart", {"slot": watch.chosen}, question)


def _stacks(watch: Watch) -> Order:
    return Order(f"stacks {watch.chosen}", "GET", "/stacks", {"slot": watch.chosen})


_RELOAD: Final = Order(
    "reload", "POST", "/reload", question="Reload? Every worker is replaced by one with what is on disk."
)
_UPGRADE: Final = Order(
    "upgrade",
    "POST",
    "/upgrade",
    question="Upgrade? The master and every worker are replaced by what is installed now.",
)
_REOPEN: Final = Order("reopen-logs", "POST", "/reopen-logs")

KEYS: Final = (
    Key(("q", "Q"), "q", "leave; Ctrl-C too", _quit),
    Key(("?", "h"), "?", "this help", _help),
    Key(("up",), "↑", "choose the worker above", _choose(-1)),
    Key(("down",), "↓", "choose the worker below", _choose(1)),
    Key(("page up",), "PgUp", "choose further up", _choose(-PAGE)),
    Key(("page down",), "PgDn", "choose further down", _choose(PAGE)),
    Key(("left", "<"), "← <", "sort by the column to the left", _sort_beside(-1)),
    Key(("right", ">"), "→ >", "sort by the column to the right", _sort_beside(1)),
    Key(("i", "R"), "i", "sort the other way round", _turn),
    Key(("P",), "P", "sort by CPU", _sort_by("cpu%")),
    Key(("M",), "M", "sort by memory", _sort_by("rss")),
    Key(("T",), "T", "sort by age", _sort_by("age")),
    Key(("N",), "N", "sort by slot", _sort_by("slot")),
    Key(("r",), "r", "reload (asks first)", _order(lambda _: _RELOAD)),
    Key(("+", "="), "+", "scale: one worker more", _order(lambda watch: _scale(watch, 1))),
    Key(("-",), "-", "scale: one worker fewer (asks first)", _order(lambda watch: _scale(watch, -1))),
    Key(("w",), "w", "replace the chosen worker: worker restart (asks first)", _order(_restart)),
    Key(("s",), "s", "stacks of the chosen worker", _order(_stacks)),
    Key(("U",), "U", "upgrade (asks first)", _order(lambda _: _UPGRADE)),
    Key(("l",), "l", "open the log files again: reopen-logs", _order(lambda _: _REOPEN)),
)

BY_NAME: Final = {name: key for key in KEYS for name in key.names}


def table() -> str:
    """Return the table of the manual, in Markdown."""
    return "| key | what it does |\n|---|---|\n" + "".join(_rows())


def _rows() -> Iterator[str]:
    for key in KEYS:
        labels = " ".join(f"`{label}`" for label in key.label.split(" "))
        yield f"| {labels} | {key.help} |\n"
