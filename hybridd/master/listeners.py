"""The listeners of each generation: what a reload adds is bound before anything changes, what it removes ends after.

A listener that both generations have is the same socket.  One that the new generation does without is served by the old
workers for as long as they may be called back; then nobody new is let in, who waits is served, and it is closed.

Knows:     addresses, sockets, generations.
Never:     when a generation comes and goes; workers.
Runs in:   the master, its only thread.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from hybridd.config.address import Address, Kind
from hybridd.errors import BindError
from hybridd.master.farewell import Farewell
from hybridd.net.listener import Listener
from hybridd.worker import leaving_words

Bind = Callable[[Sequence[Address]], list[Listener]]


class Listeners:
    """Every open public listener, and which generations serve it."""

    def __init__(self, listeners: Iterable[Listener], generation: int = 1) -> None:
        self._of: dict[int, tuple[Listener, ...]] = {generation: tuple(listeners)}
        self._current = generation
        self._parting: list[Farewell] = []
        self._number(self.current)

    @property
    def current(self) -> tuple[Listener, ...]:
        """Those of the generation that is trusted."""
        return self._of[self._current]

    @property
    def open(self) -> tuple[Listener, ...]:
        """All of them, also those that come or go."""
        return tuple(one for one in self._known if one.fileno() >= 0)

    @property
    def _known(self) -> list[Listener]:
        """Those that are open, and those (unix) that only the workers have still."""
        known = [one for listeners in self._of.values() for one in listeners]
        parting = [one for farewell in self._parting for one in farewell.listeners]
        return list(dict.fromkeys([*known, *parting]))

    def of(self, generation: int) -> tuple[Listener, ...]:
        """Return the listeners that this generation's workers get."""
        return self._of[generation]

    def prepare(self, generation: int, addresses: Sequence[Address], bind: Bind) -> None:
        """Bind what a new generation has and the current one has not.

        Raises:
            BindError: an address cannot be had; nothing has changed.
        """
        wanted, missing = split(self.current, addresses)
        refuse_handed(missing)
        new = bind(missing)
        try:
            self._number(new)
        except BindError:
            for listener in new:
                listener.close()
            raise
        self._of[generation] = (*wanted, *new)

    def leaving(self, generation: int) -> frozenset[int]:
        """Return the numbers of the listeners that this generation does without."""
        stays = self._of[generation]
        return numbers_of(one for one in self._known if one not in stays)

    def settle(self, generation: int, now: float) -> bool:
        """Let a generation be the current one, and no other come back; whether there are listeners to take leave of.

        Their end comes when ``take_leave`` is called late enough.
        """
        stays = self._of[generation]
        goes = [one for one in self.open if one not in stays and not self._parts(one)]
        self._of, self._current = {generation: stays}, generation
        if goes:
            farewell = Farewell()
            farewell.begin(goes, now)
            self._parting.append(farewell)
        return bool(goes)

    def take_leave(self, now: float, linger: float) -> None:
        """Close what was to be closed; only when those who served it have taken who waited there."""
        for farewell in self._parting[:]:
            if farewell.is_due(now, linger):
                farewell.end()
                self._parting.remove(farewell)

    @property
    def parting(self) -> bool:
        """Whether there are listeners that end."""
        return bool(self._parting)

    def close(self) -> None:
        """Give everything back; sockets that were handed to us stay open for their owner."""
        for listener in self.open:
            listener.close()

    def _parts(self, listener: Listener) -> bool:
        return any(listener in farewell.listeners for farewell in self._parting)

    def _number(self, new: Sequence[Listener]) -> None:
        taken = {one.number for one in self._known} - {0}
        free = [number for number in range(1, leaving_words.MOST + 1) if number not in taken]
        if len(new) > len(free):
            raise BindError(
                f"cannot listen on {len(new)} further addresses: expected at most {leaving_words.MOST} listeners at a"
                f" time, with those that a reload removed and its old workers still have, and there are {len(taken)}"
            )
        for listener, number in zip(new, free, strict=False):
            listener.number = number


def numbers_of(listeners: Iterable[Listener]) -> frozenset[int]:
    """Return the numbers of these listeners; those that are not public have none."""
    return frozenset(one.number for one in listeners if one.number)


def refuse_handed(addresses: Iterable[Address]) -> None:
    """Raise for what only whoever starts hybridd can hand to it."""
    for address in addresses:
        if address.kind in {Kind.FD, Kind.SYSTEMD}:
            raise BindError(f"cannot listen on {address}: it can only be taken over when hybridd starts")


def split(current: Sequence[Listener], addresses: Sequence[Address]) -> tuple[list[Listener], list[Address]]:
    """Return the listeners that serve ``addresses`` already, and the addresses that nobody does."""
    by_name: dict[str, list[Listener]] = defaultdict(list)
    for listener in current:
        by_name[listener.name].append(listener)
    kept, missing = [], []
    wanted = [str(address) for address in addresses]
    for name, address in zip(wanted, addresses, strict=True):
        found = by_name[name]
        if not found:
            missing.append(address)
        elif wanted.count(name) > 1:  # only port 0 can be wanted twice: each of them is one socket
            kept.append(found.pop(0))
        else:
            kept += found  # a name may stand for several addresses
            by_name[name] = []
    return kept, missing
