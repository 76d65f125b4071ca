"""The signals of the master: one table for the code, the manual and the tests.

They arrive as bytes on a socket (net/signal_bytes.py); what each of them asks for is a value.

Knows:     numbers, events, sentences.
Never:     handlers; what an event does.
Runs in:   the master; ``python -m hybridd.master.signals`` prints the table of docs/operations.md.
"""

from __future__ import annotations

import signal
import sys
from dataclasses import dataclass
from typing import Final

from hybridd.master import events
from hybridd.master.events import Event


@dataclass(frozen=True, slots=True)
class Understood:
    """One signal: what it asks for (None: nothing, or only to look), and the sentence of the manual."""

    number: signal.Signals
    event: Event | None
    help: str

    @property
    def name(self) -> str:
        """The name without SIG, as in ``kill -HUP``."""
        return self.number.name.removeprefix("SIG")


SIGNALS: Final = (
    Understood(
        signal.SIGTERM,
        events.StopAsked(),
        "Stop gracefully: no new connections, requests are finished within `timeouts.graceful`. Again: hurry.",
    ),
    Understood(signal.SIGINT, events.QuitAsked(), "Stop quickly: open connections are cut. Ctrl-C in a terminal."),
    Understood(signal.SIGQUIT, events.QuitAsked(), "Stop quickly, like INT."),
    Understood(
        signal.SIGHUP,
        events.ReloadAsked(),
        "Reload: the configuration is read again and a new generation of workers replaces the old one,"
        " if it can boot; else nothing changes.",
    ),
    Understood(signal.SIGUSR1, events.ReopenAsked(), "Open the log files again, after they were moved away."),
    Understood(
        signal.SIGUSR2,
        events.UpgradeAsked(),
        "Upgrade: the command is started again as it is on disk now; the new master takes the listeners over,"
        " and the old one drains and leaves. If the new one fails, nothing changes.",
    ),
    Understood(signal.SIGTTIN, events.ScaleAsked(1), "One worker more."),
    Understood(signal.SIGTTOU, events.ScaleAsked(-1), "One worker fewer; the last one stays."),
    Understood(signal.SIGWINCH, None, "Ignored: terminals send it when their window changes."),
    Understood(signal.SIGCHLD, None, "The system's own: a worker has ended. Sent by hand it does no harm."),
)

BY_NUMBER: Final = {understood.number: understood for understood in SIGNALS}


def table() -> str:
    """Return the table of the manual, in Markdown."""
    rows = (f"| `{understood.name}` | {understood.help} |\n" for understood in SIGNALS)
    return "| signal to the master | what it does |\n|---|---|\n" + "".join(rows)


if __name__ == "__main__":
    sys.stdout.write(table())
