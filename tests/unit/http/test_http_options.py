"""The Connection field: what it means, what it may not name."""

from __future__ import annotations

import pytest

from hybridd.http.options import connection_options, keeps_alive

V10, V11 = (1, 0), (1, 1)


@pytest.mark.parametrize(
    ("field", "in_11", "in_10"),
    [
        ("", True, False),
        ("keep-alive", True, True),
        ("Keep-Alive, X", True, True),
        ("close", False, False),
        ("CLOSE", False, False),
        ("keep-alive,\tclose", False, False),
        (",, close ,", False, False),
        ("closed, x-close", True, False),
        ("upgrade", True, False),
    ],
)
def test_whether_the_client_goes_on(field, in_11, in_10):
    options = connection_options(field)
    assert (keeps_alive(options, V11), keeps_alive(options, V10)) == (in_11, in_10)


@pytest.mark.parametrize("field", ["keep-alive close", '"close"', "close;x", "close, a b", "x=y", "clos\xe9"])
def test_what_is_no_list_of_options(field):
    with pytest.raises(ValueError, match="not a list of options"):
        connection_options(field)


@pytest.mark.parametrize("field", ["Content-Length", "close, HOST", "Transfer-Encoding , x"])
def test_what_is_not_for_one_connection(field):
    with pytest.raises(ValueError, match="not for one connection only"):
        connection_options(field)


def test_it_is_read_once():
    assert connection_options("one, two") is connection_options("one, two")
    long = "x" * 300
    assert connection_options(long) is not connection_options(long)
