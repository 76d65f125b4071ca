from __future__ import annotations

import pytest

from hybridd.app.failure import describe, has_user_frames, user_traceback


class SilentError(Exception):
    def __str__(self):
        raise KeyboardInterrupt


def caught(error: BaseException) -> BaseException:
    try:
        raise error  # noqa: TRY301 - for its traceback
    except BaseException as raised:  # noqa: BLE001 - any
        return raised


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("wrong"), "ValueError: wrong"),
        (ValueError("one\ntwo"), "ValueError: one"),
        (ValueError(), "ValueError"),
        (ValueError("\n"), "ValueError"),
        (SystemExit(3), "SystemExit: 3"),
        (SilentError(), "SilentError: (its text cannot be shown)"),
    ],
)
def test_one_line_of_any_exception(error, words):
    assert describe(error) == words


def test_frames_of_the_user_are_kept():
    error = caught(ValueError("here"))
    assert has_user_frames(error)
    assert f'File "{__file__}"' in user_traceback(error)


def test_an_exception_that_was_never_raised_has_no_frames():
    assert not has_user_frames(ValueError("nowhere"))
    assert user_traceback(ValueError("nowhere")) == "ValueError: nowhere"


def test_chains_that_bite_their_tail_end():
    first, second = caught(ValueError("first")), caught(ValueError("second"))
    first.__cause__ = second
    second.__cause__ = first
    assert "ValueError: second" in user_traceback(first)


def test_groups():
    text = user_traceback(caught(ExceptionGroup("several", [caught(ValueError("inner"))])))
    assert "ValueError: inner" in text
    assert "several" in text
