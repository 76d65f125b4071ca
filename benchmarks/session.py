"""One run from beginning to end: environments, scenarios, results.

Knows:     the order of things, and what is shown when.
Runs in:   the harness.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.load.client import BadAnswer
from benchmarks.load.wrk import LoadFailed
from benchmarks.measure import placement, priority
from benchmarks.outcome import Outcome
from benchmarks.peers import source
from benchmarks.peers.catalogue import SUBJECT
from benchmarks.peers.ending import adopt_orphans
from benchmarks.peers.environments import CannotInstall, Installed, cache_folder, install
from benchmarks.peers.peer import Peer
from benchmarks.peers.server import ServerFailed
from benchmarks.report import circumstances, page, picture, text
from benchmarks.report.bars import judge
from benchmarks.scenarios.catalogue import Scenario

_PAGE, _PICTURE = "RESULTS.md", "results.svg"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done.

    Attributes:
        options: further arguments of the subject.
        upgrade: install the peers anew.
        folder: where the results go, None: only to the terminal.
        revision: of the subject; empty: the checkout as it is.
    """

    scenarios: Sequence[Scenario]
    peers: Sequence[Peer]
    rounds: int
    seconds: int
    options: tuple[str, ...]
    upgrade: bool
    folder: Path | None
    revision: str


@dataclass(slots=True)
class Session:
    """A run."""

    plan: Plan
    outcomes: list[Outcome] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def run(self) -> int:
        """Do it all; return the exit status."""
        missing = [tool for tool in ("wrk", "taskset") if not shutil.which(tool)]
        if missing:
            sys.stderr.write(f"benchmarks/run: needs {' and '.join(missing)} (Debian: apt install wrk util-linux)\n")
            return 1
        adopt_orphans()
        priority.pass_on(os.getpid())
        where = placement.here()
        installed = self._install()
        if not any(one.peer.name == SUBJECT for one in installed):
            why = "\n".join(self.remarks)
            sys.stderr.write(f"benchmarks/run: without {SUBJECT} there is nothing to compare\n{why}\n")
            return 1
        interrupted = False
        with tempfile.TemporaryDirectory(dir=cache_folder(), prefix="run-") as folder:
            scratch = Path(folder)
            source.copy(scratch, self.plan.revision)
            subject = f"revision {source.name(self.plan.revision)}, handlers: {handlers(installed, scratch)}"
            method = f"{self.plan.rounds} rounds of {self.plan.seconds} s"
            facts = [("method", method), *circumstances.gather(installed, where, subject)]
            _print("\n".join(f"{name:17} {value}" for name, value in facts))
            _print("".join(f"  * {remark}\n" for remark in self.remarks))
            bench = Bench(installed, where, self.plan.rounds, self.plan.seconds, scratch, _whisper, self.plan.options)
            try:
                self._measure(bench)
            except KeyboardInterrupt:
                interrupted = True
        verdicts = judge(self.outcomes)
        if verdicts:
            _print(text.show_verdicts(verdicts))
        if self.plan.folder and not interrupted:
            self._write(self.plan.folder, facts)
        return 130 if interrupted else int(len(self.outcomes) < len(self.plan.scenarios))

    def _install(self) -> list[Installed]:
        installed = []
        for peer in self.plan.peers:
            _whisper(f"installing {peer.name}")
            try:
                installed.append(install(peer, upgrade=self.plan.upgrade))
            except CannotInstall as error:
                self.remarks.append(f"left out: {peer.name} cannot be installed: {error}")
        _whisper("")
        return installed

    def _measure(self, bench: Bench) -> None:
        for scenario in self.plan.scenarios:
            began = time.monotonic()
            _begin(f"({scenario.key}) {scenario.title}")
            try:
                outcome = scenario.run(bench)
            except (LoadFailed, ServerFailed, BadAnswer, OSError) as error:
                self._failed(scenario, error)
                continue
            except Exception as error:  # noqa: BLE001 - a defect of ours must not cost what the other scenarios found
                traceback.print_exc()
                self._failed(scenario, error)
                continue
            self.outcomes.append(outcome)
            _whisper("")
            _print(f"{text.show_outcome(outcome)}  [{time.monotonic() - began:.0f} s]\n")

    def _failed(self, scenario: Scenario, error: Exception) -> None:
        self.remarks.append(f"scenario {scenario.key} failed: {type(error).__name__}: {error}")
        _print(f"({scenario.key}) {self.remarks[-1]}\n")

    def _write(self, folder: Path, facts: circumstances.Facts) -> None:
        known = dict(facts)
        caption = f"{known['date']}, {known['machine']}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _PICTURE).write_text(picture.draw(self.outcomes, caption))
        (folder / _PAGE).write_text(page.render(self.outcomes, judge(self.outcomes), facts, self.remarks, _PICTURE))
        _print(f"written: {folder / _PAGE}, {folder / _PICTURE}")


def handlers(installed: Sequence[Installed], scratch: Path) -> str:
    """Return where the subject runs its handlers, in its own words."""
    environment = {"PYTHONPATH": str(source.folder(scratch))}
    for one in installed:
        if one.peer.name == SUBJECT:
            command = [str(one.binaries / "python"), "-m", "hybridd", "print-config"]
            done = subprocess.run(  # noqa: S603 - the command is ours
                command, env=environment, capture_output=True, text=True, check=False
            )
            for line in done.stdout.splitlines():
                if line.startswith("handlers:"):
                    return line.split(":", 1)[1].split("#")[0].strip()
    return "threads (it has no such setting: they run in the pool)"


def _print(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def _begin(words: str) -> None:
    """Say what is going on: in a log, where nothing is whispered, by a line with the time."""
    if sys.stderr.isatty():
        _whisper(words)
    else:
        sys.stderr.write(f"{time.strftime('%H:%M:%S')} {words}\n")
        sys.stderr.flush()


def _whisper(words: str) -> None:
    """Show what is going on, on a line that is overwritten; nothing where that is no terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{words}")
        sys.stderr.flush()
