"""What `hybridd top` knows at one moment, and what news and answers make of it.

Knows:     the last two looks, whether hybridd answers, what was asked of it, what the reader has chosen.
Never:     asks, draws, reads a clock.
Runs in:   the command line tool; pure.
See also:  keys.py, which says what a key makes of it; page.py, how it looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hybridd.top.columns import ordered
from hybridd.top.figures import Look, Picture, Worker, picture

AT_FIRST = "slot"


@dataclass(frozen=True, slots=True)
class Order:
    """A verb as the control socket takes it; ``question`` is asked before it is carried out, empty for none."""

    words: str
    method: str
    path: str
    arguments: Mapping[str, object] = field(default_factory=dict)
    question: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """A text that the reader scrolls through: stacks, the end of a traceback, the help."""

    title: str
    lines: tuple[str, ...]
    at: int = 0


@dataclass(frozen=True, slots=True)
class Watch:
    """Everything that the page is made of.

    Attributes:
        where: whom we ask, for people.
        may_order: whether the verbs can be called there.
        lost: why nobody answers any more, empty while somebody does; the figures are old then.
        sort, turned: the column to sort by; whether the other way round.
        chosen: the slot of the worker that keys are about.
        asked: the order that waits for a yes.
        busy: the order that is being carried out.
        said, failed: the last thing to tell, and whether it is a bad one.
    """

    where: str
    may_order: bool
    look: Look
    picture: Picture
    lost: str = ""
    sort: str = AT_FIRST
    turned: bool = False
    chosen: int = 0
    asked: Order | None = None
    busy: Order | None = None
    said: str = ""
    failed: bool = False
    reading: Reading | None = None
    over: bool = False

    @property
    def workers(self) -> list[Worker]:
        """The workers as they stand on the page."""
        return ordered(self.picture.workers, self.sort, turned=self.turned)


def begin(where: str, look: Look, *, may_order: bool) -> Watch:
    """Return what is known after the first look."""
    shown = picture(None, look)
    return Watch(where, may_order, look, shown, chosen=min((worker.slot for worker in shown.workers), default=0))


def looked(watch: Watch, look: Look) -> Watch:
    """There was another look."""
    shown = picture(watch.look, look)
    slots = sorted(worker.slot for worker in shown.workers)
    chosen = watch.chosen
    if slots and chosen not in slots:
        chosen = min(slots, key=lambda slot: abs(slot - chosen))
    watch = replace(watch, look=look, picture=shown, chosen=chosen)
    return replace(tell(watch, f"{watch.where} answers again"), lost="") if watch.lost else watch


def missed(watch: Watch, reason: str) -> Watch:
    """Nobody answered."""
    return replace(watch, lost=reason)


def answered(watch: Watch, order: Order, text: str, *, ok: bool) -> Watch:
    """A verb has its verdict: one line below, several to be read."""
    watch = replace(watch, busy=None)
    first, _, more = text.strip().partition("\n")
    if more:
        return replace(watch, reading=Reading(f"hybridd {order.words}", tuple(text.strip().splitlines())))
    return tell(watch, f"{order.words}: {first}", failed=not ok)


def tell(watch: Watch, text: str, *, failed: bool = False) -> Watch:
    """Say something below."""
    return replace(watch, said=text, failed=failed)
