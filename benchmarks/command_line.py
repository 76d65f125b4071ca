"""What a user types: ``benchmarks/run [options]``.

Knows:     the options, and what makes a run complete enough to be published.
Runs in:   the harness; only the standard library, any Python that hybridd supports.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from benchmarks.measure.placement import TooFewCpus
from benchmarks.peers.catalogue import PEERS, SUBJECT
from benchmarks.peers.peer import Peer
from benchmarks.peers.source import NoSource
from benchmarks.scenarios.catalogue import SCENARIOS, Unknown, choose
from benchmarks.session import Plan, Session

ROUNDS = 15
"""Fewer say nothing on a machine that is not alone (benchmarks/measure/paired.py)."""

_FOLDER = Path(__file__).parent


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the options."""
    parser = argparse.ArgumentParser(
        prog="benchmarks/run",
        description="Run hybridd and its peers side by side on the same work and print ratios (docs/performance.md)."
        " A complete run takes about 35 minutes and renews benchmarks/RESULTS.md.",
    )
    parser.add_argument("--scenario", default="", metavar="a,b", help="only these scenarios (--list)")
    parser.add_argument("--peers", default="", metavar="NAME,NAME", help="only these peers, by parts of their names")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"bursts per server (default {ROUNDS})")
    parser.add_argument("--seconds", type=int, default=1, help="length of a burst (default 1)")
    parser.add_argument("--list", action="store_true", help="list scenarios and peers, and end")
    parser.add_argument(
        "--write", type=Path, metavar="FOLDER", help="write RESULTS.md and its picture into this folder"
    )
    parser.add_argument("--upgrade", action="store_true", help="install the peers anew, in their newest versions")
    parser.add_argument(
        "--options", default="", metavar="'--handlers threads'", help="further arguments of hybridd run (not published)"
    )
    parser.add_argument("--revision", default="", metavar="HEAD", help="measure a commit, not the checkout as it is")
    options = parser.parse_args(arguments)
    if options.rounds < 1 or options.seconds < 1:
        parser.error("--rounds and --seconds must be at least 1")
    return options


def choose_peers(words: str) -> list[Peer]:
    """Return the subject and the peers that ``gthread,bjoern`` means; all when empty.

    Raises:
        Unknown: a word means none.
    """
    wanted = [word.strip().lower() for word in words.split(",") if word.strip()]
    for word in wanted:
        if not any(word in name.lower() for name in PEERS):
            raise Unknown(f"no peer {word!r}; there are {', '.join(PEERS)}")
    return [
        peer
        for name, peer in PEERS.items()
        if not wanted or name == SUBJECT or any(word in name.lower() for word in wanted)
    ]


def plan(options: argparse.Namespace) -> Plan:
    """Return what is to be done; raises ``Unknown``."""
    scenarios, peers = choose(options.scenario), choose_peers(options.peers)
    is_complete = (len(scenarios), len(peers)) == (len(SCENARIOS), len(PEERS)) and options.rounds >= ROUNDS
    folder = options.write or (_FOLDER if is_complete and not options.options else None)
    return Plan(
        scenarios,
        peers,
        options.rounds,
        options.seconds,
        tuple(options.options.split()),
        options.upgrade,
        folder,
        options.revision,
    )


def show_list() -> str:
    """Return the scenarios and the peers."""
    scenarios = [f"  {scenario.key:10} {scenario.title}" for scenario in SCENARIOS]
    peers = [f"  {peer.name:18} {' '.join(peer.packages)}" for peer in PEERS.values() if peer.name != SUBJECT]
    return "\n".join(["scenarios:", *scenarios, "peers:", *peers])


def main(arguments: Sequence[str]) -> int:
    """Run; return the exit status: 0 when everything was measured, 1 when not, 2 for wrong arguments."""
    options = parse(arguments)
    if options.list:
        sys.stdout.write(show_list() + "\n")
        return 0
    try:
        wanted = plan(options)
    except Unknown as error:
        sys.stderr.write(f"benchmarks/run: {error}\n")
        return 2
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)  # so that servers are ended as on Ctrl-C
    try:
        return Session(wanted).run()
    except (TooFewCpus, NoSource) as error:
        sys.stderr.write(f"benchmarks/run: {error}\n")
        return 1


def _leave(number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + number)
