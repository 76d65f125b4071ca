from __future__ import annotations

import logging
import threading

import pytest

from hybridd.app.errors_stream import LONGEST_LINE, ErrorsStream


@pytest.fixture
def logged(caplog):
    caplog.set_level(logging.DEBUG, "hybridd.app.stderr")
    return lambda: [(record.levelname, record.getMessage()) for record in caplog.records]


def test_a_record_per_line(logged):
    stream = ErrorsStream()
    assert stream.write("one\ntwo\r\n\n  \nthree") == len("one\ntwo\r\n\n  \nthree")
    assert logged() == [("ERROR", "one"), ("ERROR", "two")]
    stream.write(" and more\n")
    assert logged()[2:] == [("ERROR", "three and more")]
    assert not stream.unfinished


def test_flush_ends_a_line(logged):
    stream = ErrorsStream()
    stream.write("unfinished")
    assert logged() == []
    stream.flush()
    stream.flush()
    assert logged() == [("ERROR", "unfinished")]


def test_print_and_writelines(logged):
    stream = ErrorsStream()
    print("a", 1, file=stream)
    stream.writelines(["b", "c\n", "d\n"])
    assert [message for _, message in logged()] == ["a 1", "bc", "d"]


def test_a_percent_sign_is_only_that(logged):
    ErrorsStream().write("100 %s\n")
    assert logged() == [("ERROR", "100 %s")]


def test_a_line_without_end_is_cut(logged):
    stream = ErrorsStream()
    stream.write("x" * (2 * LONGEST_LINE + 5))
    assert [len(message) for _, message in logged()] == [LONGEST_LINE, LONGEST_LINE]
    assert list(stream.unfinished.values()) == ["xxxxx"]


def test_only_text():
    with pytest.raises(TypeError, match=r"wsgi\.errors takes str, not bytes"):
        ErrorsStream().write(b"bytes")


def test_threads_do_not_mix_their_lines(logged):
    stream = ErrorsStream()
    stream.write("main ")
    other = threading.Thread(target=stream.write, args=("other\n",))
    other.start()
    other.join()
    stream.write("thread\n")
    assert [message for _, message in logged()] == ["other", "main thread"]


def test_it_is_a_text_stream_and_no_terminal():
    stream = ErrorsStream()
    assert stream.writable()
    assert not stream.isatty()
    assert stream.encoding == "utf-8"
