"""Fuzz the HTTP protocol, and what proxies say of clients, for as long as wanted.

That is ``make fuzz``, or ``python -m tests.support.fuzz --seconds 60``.

A failure is made as small as hypothesis can, and printed in the notation of tests/http_cases: it becomes a case there.

Knows:     inputs (fuzz_inputs.py) and what must be true of them (fuzz_play.py); of proxies both (fuzz_proxies.py).
Runs in:   a process of its own; the unit tests run a moment of it.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st

from tests.support.fuzz_inputs import cut, places, streams
from tests.support.fuzz_play import DEEDS, MOMENTS, compare, interleave, seen
from tests.support.fuzz_proxies import chains, check_forwarded, check_header, headers, texts

BATCH = 500  # executions of each kind between two looks at the clock
EVERY = 30.0  # seconds between two lines about the progress

_plain = {bytes([code]): bytes([code]).decode() for code in range(32, 127)}
_plain |= {b"\r": r"\r", b"\n": "\\n\n", b"\t": r"\t", b"\0": r"\0", b"\\": r"\\"}


def notation(data: bytes) -> str:
    """Write bytes as tests/http_cases/README.md does."""
    return "".join(_plain.get(data[at : at + 1]) or f"\\x{data[at]:02x}" for at in range(len(data)))


class Fuzzer:
    """The properties, and the input that failed last."""

    def __init__(self) -> None:
        self.executions = 0
        self.last = ""

    def check_stream(self, data: bytes, at: list[int]) -> None:
        """Compare."""
        pieces = cut(data, at)
        self._note(pieces, "")
        compare(data, pieces)

    def check_interleaving(self, data: bytes, at: list[int], script: list[str], moments: list[str]) -> None:
        """Interleave."""
        pieces = cut(data, at)
        self._note(pieces, f"# the application: {script}\n# what happens: {moments}\n")
        interleave(pieces, script, moments)

    def check_proxy_header(self, data: bytes) -> None:
        """Read a PROXY header."""
        self.executions += 1
        self.last = f"# the beginning of a connection from a proxy\n{notation(data)}"
        check_header(data)

    def check_forwarded(self, invented: str, chain: tuple[str, ...]) -> None:
        """Read X-Forwarded-For and Forwarded."""
        self.executions += 1
        self.last = f"# invented, before the proxies add {chain}\n{invented!r}"
        check_forwarded(invented, chain)

    def _note(self, pieces: list[bytes], how: str) -> None:
        self.executions += 1
        lengths = [len(piece) for piece in pieces]
        self.last = f"# in pieces of {lengths}\n{how}{notation(b''.join(pieces))}"

    def batch(self, number: int, examples: int) -> None:
        """Run all of them for a while; the same number does the same.

        Raises:
            AssertionError: and whatever else the protocol raises; ``last`` is the smallest input that does.
        """
        quietly = settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
            report_multiple_bugs=False,
        )
        script, moments = (st.lists(st.sampled_from(words), max_size=8) for words in (DEEDS, MOMENTS))
        properties: list[Callable[[], None]] = [
            quietly(seed(number)(given(streams, places)(self.check_stream))),
            quietly(seed(number)(given(streams, places, script, moments)(self.check_interleaving))),
            quietly(seed(number)(given(headers)(self.check_proxy_header))),
            quietly(seed(number)(given(texts, chains)(self.check_forwarded))),
        ]
        for check in properties:
            check()


def main() -> int:
    """Run until the time is over or something is found."""
    parser = argparse.ArgumentParser(
        prog="make fuzz ARGS=...", description="Fuzz the HTTP protocol and what proxies say."
    )
    parser.add_argument("--seconds", type=float, default=600.0, help="how long (600)")
    parser.add_argument(
        "--seed", type=int, default=random.SystemRandom().getrandbits(32), help="what chance begins with"
    )
    arguments = parser.parse_args()
    fuzzer = Fuzzer()
    say(f"seed {arguments.seed}, {arguments.seconds:g} s")
    started = said = time.monotonic()
    number = arguments.seed
    while time.monotonic() - started < arguments.seconds:
        try:
            fuzzer.batch(number, BATCH)
        except Exception as failure:  # noqa: BLE001 - whatever it is, it is what was looked for
            say(f"\nfound with --seed {number}: {type(failure).__name__}: {failure}\n\n{fuzzer.last}")
            return 1
        number += 1
        if time.monotonic() - said >= EVERY:
            said = time.monotonic()
            report(fuzzer, said - started)
    report(fuzzer, time.monotonic() - started)
    say("nothing found")
    return 0


def report(fuzzer: Fuzzer, seconds: float) -> None:
    """Say how far it is."""
    served, kinds = seen["served"], len(seen) - 1
    say(
        f"{fuzzer.executions:,} executions in {seconds:.0f} s, {fuzzer.executions / seconds:.0f} per second;"
        f" {served:,} requests served, {kinds} kinds of refusal"
    )


def say(text: str) -> None:
    """Print a line."""
    print(text, flush=True)  # noqa: T201 - a command


if __name__ == "__main__":
    sys.exit(main())
