"""The subject's source as it is at the beginning of a run: a copy, compiled.

Whoever edits a checkout while a run goes on would otherwise measure several versions as one.

Runs in:   the harness.
"""

from __future__ import annotations

import compileall
import io
import shutil
import subprocess
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def folder(scratch: Path) -> Path:
    """Return where the copy is, for PYTHONPATH."""
    return scratch / "source"


class NoSource(Exception):  # noqa: N818 - reads as the sentence it begins
    """There is no such revision, or it is no Python."""


def copy(scratch: Path, revision: str) -> None:
    """Make the copy, of the checkout as it is or of a ``revision``; servers do not write bytecode: compiled here.

    Raises:
        NoSource: git knows no such revision, or it cannot be compiled.
    """
    target = folder(scratch)
    if revision:
        archive = _git("archive", "--format=tar", revision, "hybridd")
        if not archive:
            raise NoSource(f"git knows no revision {revision!r}")
        with tarfile.open(fileobj=io.BytesIO(archive)) as members:
            members.extractall(target, filter="data")
    else:
        shutil.copytree(ROOT / "hybridd", target / "hybridd", ignore=shutil.ignore_patterns("__pycache__"))
    if not compileall.compile_dir(target, quiet=1):  # it has printed why
        raise NoSource("hybridd cannot be compiled")


def name(revision: str) -> str:
    """Return what git calls what is measured."""
    commit = _git("rev-parse", "--short", revision or "HEAD").decode().strip() or "unknown"
    changed = not revision and _git("status", "--porcelain", "--", "hybridd")
    return f"{commit} with changes" if changed else commit


def _git(*arguments: str) -> bytes:
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, check=False).stdout  # noqa: S603 - the command is ours
