import httptools
import pytest

from hybridd.compare.exchange import Answer, request_bytes

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n"

CLOSING = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 6\r\n\r\nhello\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello\n\r\n"


def test_an_answer_is_whole_with_its_last_byte():
    answer = Answer()
    for number in range(len(HELLO)):
        assert answer.feed(HELLO[number : number + 1]) is (number == len(HELLO) - 1)
    assert (answer.status, answer.keeps) == (200, True)


def test_one_answer_after_the_other():
    answer = Answer()
    assert answer.feed(HELLO)
    answer.begin()
    assert not answer.complete
    assert answer.feed(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    assert (answer.status, answer.keeps) == (503, False)


def test_chunks():
    answer = Answer()
    assert not answer.feed(CHUNKED)
    assert answer.feed(b"0\r\n\r\n")


def test_an_answer_without_a_length_ends_with_the_stream():
    answer = Answer()
    assert not answer.feed(b"HTTP/1.1 200 OK\r\n\r\nhello")
    assert answer.end()
    assert (answer.status, answer.keeps) == (200, False)


@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 200", HELLO[:-1], CLOSING[:-1], CHUNKED])
def test_what_is_cut_is_not_whole(data):
    answer = Answer()
    if data:
        answer.feed(data)
    assert not answer.end()


def test_what_is_not_http_is_an_error():
    with pytest.raises(httptools.HttpParserError):
        Answer().feed(b"\0\0\0\0")


def test_requests():
    assert request_bytes("/a?b=c", 80) == (
        b"GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:80\r\nUser-Agent: hybridd-compare\r\nAccept: */*\r\n\r\n"
    )
    assert b"\r\nConnection: close\r\n\r\n" in request_bytes("/", 80, close=True)
