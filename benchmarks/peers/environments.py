"""The peers' virtual environments: one each, made on demand, outside the repository.

Knows:     venv, pip, and where caches go (XDG Base Directory Specification).
Never:     installs system packages; says which are missing instead.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import process_tree
from benchmarks.peers import ending
from benchmarks.peers.peer import Peer

_INSTALL_SECONDS = 600


class CannotInstall(Exception):  # noqa: N818 - reads as the sentence it begins
    """A peer's environment could not be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A peer that can be started; ``versions`` by package name."""

    peer: Peer
    binaries: Path
    versions: dict[str, str]

    @property
    def version(self) -> str:
        """The server's own version."""
        name = "hybridd" if "/" in self.peer.packages[0] else self.peer.packages[0]
        return self.versions.get(name.lower(), "?")


def cache_folder() -> Path:
    """Return the folder for environments and test data, made if need be."""
    root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(root) / "hybridd-bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def interpreter() -> str:
    """Return the Python that all environments are made from: that of this process, outside any environment."""
    return os.path.realpath(getattr(sys, "_base_executable", "") or sys.executable)


def install(peer: Peer, *, upgrade: bool = False) -> Installed:
    """Make a peer's environment if it does not exist yet, or if something else is to be in it now.

    Raises:
        CannotInstall: pip failed; the environment is removed so that the next run tries again.
    """
    folder = cache_folder() / f"{peer.environment}-py{sys.version_info.major}.{sys.version_info.minor}"
    record = folder / "installed.json"
    wanted = _fingerprint(peer)
    with (cache_folder() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another run may be installing the same
        known = json.loads(record.read_text()) if record.exists() and not upgrade else {}
        if known.get("wanted") != wanted:
            _make(folder, peer)
            known = {"wanted": wanted, "versions": _versions(folder)}
            record.write_text(json.dumps(known, indent=1))
    return Installed(peer, folder / "bin", known["versions"])


def _fingerprint(peer: Peer) -> str:
    """Return what the environment is made of; of a checkout its declaration, the source itself is not copied."""
    parts = [interpreter(), *peer.packages]
    parts += [(Path(name) / "pyproject.toml").read_text() for name in peer.packages if "/" in name]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _make(folder: Path, peer: Peer) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    packages = [part for name in peer.packages for part in (("--editable", name) if "/" in name else (name,))]
    steps = (
        [interpreter(), "-m", "venv", str(folder)],
        [str(folder / "bin/python"), "-m", "pip", "--quiet", "install", *packages],
    )
    for step in steps:
        if failure := _do(step):
            shutil.rmtree(folder, ignore_errors=True)
            raise CannotInstall(failure + (f"; needs {peer.needs}" if peer.needs else ""))


def _do(step: list[str]) -> str:
    """Run one step of an installation; return why it failed, empty when it did not."""
    with subprocess.Popen(  # noqa: S603 - the command is ours
        step, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            _, stderr = running.communicate(timeout=_INSTALL_SECONDS)
        except subprocess.TimeoutExpired:
            return f"not done after {_INSTALL_SECONDS} s"
        finally:
            if running.poll() is None:  # timed out or interrupted: it has children of its own
                ending.kill(process_tree.tree(running.pid))
    return "" if running.returncode == 0 else _last_error(stderr)


def _last_error(stderr: str) -> str:
    """Return the line of pip's output that says most: a compiler's or pip's own error."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    telling = [line for line in lines if "error:" in line.lower()]
    return (telling or lines or ["failed without a word"])[-1][:200]


def _versions(folder: Path) -> dict[str, str]:
    (packages,) = (folder / "lib").glob("python*/site-packages")
    found = importlib.metadata.distributions(path=[str(packages)])
    return {distribution.name.lower(): distribution.version for distribution in found}
