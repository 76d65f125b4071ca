"""Descriptors of files with a content, for code that takes them over, and whether one is open still.

Runs in:   the test process.
"""

from __future__ import annotations

import os
import tempfile


def file_of(content: bytes) -> int:
    """Return a descriptor of a file that has no name; whoever takes it closes it."""
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        return os.dup(file.fileno())


def is_open(fd: int) -> bool:
    """Tell whether this process has it."""
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True
