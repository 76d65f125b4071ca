import io
from dataclasses import replace

import pytest

from hybridd.compare.figures import Row
from hybridd.compare.progress import Lines
from hybridd.compare.session import Session, overflow
from hybridd.compare.wishes import Wishes
from hybridd.errors import BootError


@pytest.mark.parametrize(
    ("setting", "said"), [("0", "may still be served"), ("1", "is reset"), ("", "may still be served")]
)
def test_what_a_full_backlog_means_is_a_setting_of_the_kernel(setting, said):
    assert said in overflow(setting)


def session_with(*rows):
    return Session(Wishes(), Lines(io.StringIO()), rows={row.pattern.name: row for row in rows})


def test_patterns_that_were_not_come_to_are_left_out(rows):
    serial, thread, pool = rows[0], rows[2], rows[4]
    partly = replace(thread, crash=None, backlog=None)
    session = session_with(serial, partly, Row(pool.pattern, 1))
    assert session.comparison().rows == (serial, partly)
    assert not session.comparison().complete


def test_a_problem_is_noted_once_and_the_session_goes_on(rows):
    session = session_with(rows[0])
    for reason in ("it ended with status 70", "it ended with status 70", "it was not ready"):
        with session._problems_of(rows[0].pattern):
            raise BootError(reason)
    assert session.rows["serial"].problem == "it ended with status 70; it was not ready"
