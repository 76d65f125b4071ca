"""What a command does when nobody reads its output."""

from __future__ import annotations

import os
import subprocess
import sys


def test_a_reader_that_has_gone_is_no_reason_for_a_traceback():
    """``hybridd print-config | true``."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", "hybridd", "print-config"],
            stdout=writer,
            stderr=subprocess.PIPE,
            timeout=30,
            check=False,
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")
