"""The subject's source as it is at the beginning of a run: a copy, compiled.

Whoever edits a checkout while a run goes on would otherwise measure several versions as one.

Runs in:   the harness.
"""

from __future__ import annotations

import compileall
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def folder(scratch: Path) -> Path:
    """Return where the copy is, for PYTHONPATH."""
    return scratch / "source"


def copy(scratch: Path) -> None:
    """Make the copy; servers do not write bytecode, so it is compiled here."""
    target = folder(scratch) / "hybridd"
    shutil.copytree(ROOT / "hybridd", target, ignore=shutil.ignore_patterns("__pycache__"))
    compileall.compile_dir(target, quiet=1)


def revision() -> str:
    """Return what git calls it."""
    head = _git("rev-parse", "--short", "HEAD") or "unknown"
    return f"{head} with changes" if _git("status", "--porcelain", "--", "hybridd") else head


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603 - ours
