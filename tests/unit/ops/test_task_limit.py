"""A refused fork in words."""

from __future__ import annotations

import errno
import os

from hybridd.ops.task_limit import refusal


def test_a_limit_is_named_and_everything_else_is_the_systems_own_word():
    assert "TasksMax" in refusal(OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)))
    assert refusal(OSError(errno.ENOMEM, "Cannot allocate memory")) == "Cannot allocate memory"
    assert refusal(OSError("odd")) == "odd"
