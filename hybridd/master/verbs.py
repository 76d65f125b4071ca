"""The verbs of the control socket: what each of them begins, and what its asker waits for.

Knows:     the master's state, how to put an event to it, the paths of the verbs.
Never:     decides whether a wish has come true (verdicts.py); HTTP, connections (control.py).
Runs in:   the master, its only thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from hybridd.master import events, verdicts
from hybridd.master.children import TICKETS, Phase
from hybridd.master.events import Event
from hybridd.master.stacks import StackReader
from hybridd.master.state import State
from hybridd.master.wishes import Arguments, Reply, Verb, Waiting, WrongArgumentError


class Asked(Protocol):
    """The master, as far as verbs know it."""

    state: State
    logs_reopened: int

    def ask(self, event: Event) -> None:
        """Take an operator's wish at the end of this turn."""

    def now(self) -> float:
        """Monotonic seconds of this turn."""


def make_verbs(
    master: Asked, report: Callable[..., Mapping[str, Any]], stacks: StackReader
) -> dict[tuple[str, str], Verb]:
    """Return the verbs by method and path."""
    verbs = _Verbs(master, stacks)
    return {
        ("GET", "/status"): lambda arguments: _at_once(_status(report(stacks="stacks" in arguments))),
        ("POST", "/reload"): verbs.reload,
        ("POST", "/scale"): verbs.scale,
        ("POST", "/restart"): verbs.restart,
        ("POST", "/upgrade"): verbs.upgrade,
        ("POST", "/drain"): verbs.drain,
        ("POST", "/stop"): verbs.stop,
        ("POST", "/reopen-logs"): verbs.reopen_logs,
        ("GET", "/stacks"): verbs.stacks,
    }


def _status(report: Mapping[str, Any]) -> Reply:
    return Reply(True, str(report["status"]), report)


def _at_once(reply: Reply) -> Waiting:
    return Waiting(lambda: reply)


def number(arguments: Arguments, name: str) -> int:
    """Return a number among the arguments; WrongArgumentError when it is none."""
    text = arguments.get(name, "")
    try:
        return int(text)
    except ValueError:
        raise WrongArgumentError(f"{name}: expected a number, got {text or 'nothing'}") from None


class _Verbs:
    """What the verbs share."""

    def __init__(self, master: Asked, stacks: StackReader) -> None:
        self._master = master
        self._stacks = stacks

    def reload(self, _: Arguments) -> Waiting:
        master = self._master
        if refusal := verdicts.refused(master.state, events.ReloadAsked()):
            return _at_once(refusal)
        # The next reading, if one is asked for already it is the same: reloads that wait become one.
        reading = master.state.readings + 1
        master.ask(events.ReloadAsked())
        return Waiting(
            lambda: verdicts.reload(master.state, reading),
            lambda: verdicts.reload_late(master.state),
        )

    def scale(self, arguments: Arguments) -> Waiting:
        master, wanted = self._master, number(arguments, "workers")
        step = events.ScaleAsked(wanted - master.state.desired.workers)
        refusal = verdicts.refused(master.state, step) or verdicts.scale_refused(master.state, wanted)
        if refusal:
            return _at_once(refusal)
        begun = master.state
        master.ask(step)
        return Waiting(
            lambda: None if master.state is begun else verdicts.scale(master.state, wanted, master.now()),
            lambda: verdicts.scale_late(master.state),
        )

    def restart(self, arguments: Arguments) -> Waiting:
        master, slot = self._master, number(arguments, "slot")
        event = events.RestartAsked(slot)
        if refusal := verdicts.refused(master.state, event):
            return _at_once(refusal)
        found = [
            pid for pid, child in master.state.children.items() if child.slot == slot and child.phase is Phase.READY
        ]
        if not found:
            return _at_once(Reply(False, f"there is no ready worker in slot {slot}"))
        master.ask(event)
        return Waiting(
            lambda: verdicts.restart(master.state, found[0]),
            lambda: verdicts.restart_late(master.state, found[0]),
        )

    def upgrade(self, _: Arguments) -> Waiting:
        master = self._master
        if refusal := verdicts.refused(master.state, events.UpgradeAsked()):
            return _at_once(refusal)
        number = master.state.upgrades + 1
        master.ask(events.UpgradeAsked())
        return Waiting(
            lambda: verdicts.upgrade(master.state, number),
            lambda: verdicts.upgrade_late(master.state),
        )

    def drain(self, _: Arguments) -> Waiting:
        master = self._master
        if not master.state.desired.stop:  # asked twice, a stop hurries: that is not meant here
            master.ask(events.StopAsked())
        return Waiting(lambda: verdicts.stop(master.state), lambda: verdicts.stop_late(master.state))

    def stop(self, arguments: Arguments) -> Waiting:
        master = self._master

        def hurry() -> None:
            master.ask(events.QuitAsked())

        if arguments.get("timeout") == "0":
            hurry()
        elif not master.state.desired.stop:
            master.ask(events.StopAsked())
        return Waiting(lambda: verdicts.stop(master.state), hurry)

    def reopen_logs(self, _: Arguments) -> Waiting:
        master, before = self._master, self._master.logs_reopened
        master.ask(events.ReopenAsked())

        def check() -> Reply | None:
            return Reply(True, "the logs are opened again") if master.logs_reopened > before else None

        return Waiting(check)

    def stacks(self, arguments: Arguments) -> Waiting:
        children = [child for child in self._master.state.children.values() if child.pid < TICKETS]
        if "slot" in arguments:
            slot = number(arguments, "slot")
            children = [child for child in children if child.slot == slot]
            if not children:
                return _at_once(Reply(False, f"there is no worker in slot {slot}"))
        return Waiting(self._stacks.ask(sorted(children, key=lambda child: child.slot)))
