"""An exchange with a client that keeps up: what is sent for what a well-behaved application gives."""

from __future__ import annotations

import io

import pytest

from tests.apps import big_body, error_info, hello, legacy_write, streaming, upload
from tests.support.outlet import RecordingOutlet, make_exchange, make_request, serve


def answering(result, *, status="200 OK", headers=()):
    """Return an application that answers ``result``, whatever it is asked."""

    def application(environ, start_response):
        start_response(status, list(headers))
        return result

    return application


class Closing:
    """An iterable that counts how often it was closed."""

    def __init__(self, *parts):
        self.parts = parts
        self.closed = 0

    def __iter__(self):
        return iter(self.parts)

    def close(self):
        self.closed += 1


def test_one_part_is_one_call_of_the_outlet_and_one_window():
    outlet = serve(hello.application)
    assert outlet.calls == ["whole"]
    assert outlet.windows == 1
    assert (outlet.status, outlet.body) == (200, b"hello\n")
    assert outlet.headers == {"Content-Type": "text/plain", "Content-Length": "6"}


@pytest.mark.parametrize("kind", [list, tuple])
def test_the_length_of_one_part_is_left_to_the_outlet(kind):
    outlet = serve(answering(kind([b"hello"])))
    assert outlet.calls == ["whole"]
    assert outlet.headers == {}


def test_a_short_list_is_joined():
    outlet = serve(answering([b"a", b"", b"b"]))
    assert outlet.calls == ["whole"]
    assert outlet.body == b"ab"
    assert outlet.headers == {"Content-Length": "2"}


def test_a_long_list_has_a_length_and_goes_in_parts():
    outlet = serve(big_body.application, query="size=300000&as=list")
    assert outlet.calls == ["start", "send", "send", "send", "send", "finish"]
    assert outlet.headers["Content-Length"] == "300000"
    assert outlet.body == b"".join(big_body.blocks(300_000))


@pytest.mark.parametrize("empty", [[], (), [b""], [b"", b""], iter(()), iter([b"", b""])])
def test_an_empty_body(empty):
    outlet = serve(answering(empty, headers=[("X-A", "b")]))
    assert outlet.calls == ["whole"]
    assert outlet.body == b""
    assert outlet.headers["X-A"] == "b"


def test_an_empty_body_of_known_length():
    outlet = serve(answering(iter(()), headers=[("Content-Length", "0")]))
    assert outlet.calls == ["whole"]
    assert outlet.headers == {"Content-Length": "0"}


def test_a_generator_is_sent_part_by_part():
    outlet = serve(streaming.application, query="count=3&size=2")
    assert outlet.calls == ["start", "send", "send", "finish"]
    assert outlet.parts == [b"AA", b"BB", b"CC"]
    assert "Content-Length" not in outlet.headers


def test_a_part_is_sent_before_the_next_one_is_asked_for():
    outlet = RecordingOutlet()

    def parts():
        for number in range(3):
            assert len(outlet.parts) == number
            yield b"%d" % number

    assert make_exchange(answering(parts()), outlet).step()
    assert outlet.body == b"012"


def test_the_head_waits_for_the_first_part_that_is_not_empty():
    outlet = serve(streaming.application, "/hollow", query="size=2")
    assert outlet.calls == ["start", "send", "finish"]
    assert outlet.parts == [b"xx", b"yy"]


def test_start_response_may_come_with_the_first_next():
    outlet = serve(streaming.application, "/lazy", query="count=2&size=1")
    assert outlet.calls == ["start", "send", "finish"]
    assert outlet.body == b"zz"


def test_the_head_may_be_replaced_until_the_first_part():
    def parts(start_response):
        yield b""
        try:
            [].pop()
        except IndexError as error:
            start_response("404 Not Found", [], (IndexError, error, error.__traceback__))
        yield b"gone"

    def application(environ, start_response):
        start_response("200 OK", [("X-Old", "1")])
        return parts(start_response)

    outlet = serve(application)
    assert (outlet.status, outlet.headers, outlet.body) == (404, {}, b"gone")


def test_exc_info_may_be_given_by_name():
    def application(environ, start_response):
        start_response("200 OK", [])
        start_response("201 Created", [], exc_info=(ValueError, ValueError(), None))
        return [b"made"]

    assert serve(application).status == 201


def test_exc_info_replaces_a_head():
    outlet = serve(error_info.application, "/early")
    assert (outlet.status, outlet.body) == (404, b"replaced\n")
    assert "X-From" not in outlet.headers


def test_a_generator_that_keeps_its_length_is_answered_when_it_is_reached():
    seen = []

    def parts():
        yield b"hello"
        seen.append(list(outlet.calls))

    outlet = RecordingOutlet()
    assert make_exchange(answering(parts(), headers=[("Content-Length", "5")]), outlet).step()
    assert seen == [["whole"]]  # code behind the last yield still runs, when the client has its answer


def test_a_known_length_in_several_parts():
    outlet = serve(answering(iter([b"ab", b"c", b"de"]), headers=[("Content-Length", "5")]))
    assert outlet.calls == ["start", "send", "send", "finish"]
    assert outlet.body == b"abcde"


def test_write_sends_at_once_and_before_what_is_returned():
    outlet = serve(legacy_write.application, query="count=2&size=3")
    assert outlet.calls == ["start", "send", "send", "finish"]
    assert outlet.parts == [b"www", b"www", b"returned\n"]


def test_write_of_nothing_sends_no_head():
    def application(environ, start_response):
        write = start_response("200 OK", [])
        write(b"")
        start_response("404 Not Found", [], (ValueError, ValueError(), None))
        return []

    assert serve(application).status == 404


def test_write_alone_is_a_response():
    def application(environ, start_response):
        start_response("200 OK", [("Content-Length", "4")])(b"only")
        return []

    outlet = serve(application)
    assert outlet.calls == ["whole"]
    assert outlet.body == b"only"


def test_write_happens_outside_of_the_window_for_application_code():
    outlet = serve(legacy_write.application, query="count=1")
    assert outlet.windows == 6  # before and after write(); iter, part, end and close of what is returned


@pytest.mark.parametrize(
    ("method", "status"), [("HEAD", "200 OK"), ("GET", "304 Not Modified"), ("GET", "204 No Content")]
)
@pytest.mark.parametrize("length", [[], [("Content-Length", "1000")]])
@pytest.mark.parametrize("parts", [[], [b""], [b"", b""]])
def test_no_body_where_there_must_be_none(method, status, length, parts):
    outlet = serve(answering(parts, status=status, headers=length), method=method)
    assert outlet.calls == ["start", "finish"]
    assert outlet.body == b""
    assert outlet.headers == dict(length)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_list_has_the_same_length_for_get_and_head(method):
    outlet = serve(answering([b"ab", b"c"]), method=method)
    assert outlet.headers == {"Content-Length": "3"}


def test_one_part_is_announced_by_the_outlet_for_head():
    assert serve(answering([b"abc"]), method="HEAD").calls == ["whole"]  # which sends no body, but its length


def test_head_wants_no_more_than_the_first_part():
    asked = []

    def parts():
        for number in range(100):
            asked.append(number)
            yield b"x" if number else b""

    outlet = serve(answering(parts()), method="HEAD")
    assert outlet.calls == ["start", "finish"]
    assert asked == [0, 1]


def test_head_with_write():
    outlet = serve(legacy_write.application, method="HEAD")
    assert outlet.calls == ["start", "finish"]
    assert outlet.body == b""


def test_the_iterable_is_closed_once():
    result = Closing(b"a", b"b")
    outlet = RecordingOutlet()
    exchange = make_exchange(answering(result), outlet)
    assert exchange.step()
    assert exchange.step()
    exchange.abandon()
    assert result.closed == 1
    assert outlet.calls == ["start", "send", "finish"]


def test_close_comes_after_the_response():
    class Late(Closing):
        def close(self):
            assert outlet.ended
            super().close()

    result = Late(b"a")
    outlet = RecordingOutlet()
    make_exchange(answering(result), outlet).step()
    assert result.closed == 1


def test_the_request_body_is_closed():
    request = {}

    def application(environ, start_response):
        request["input"] = environ["wsgi.input"]
        start_response("200 OK", [])
        return [b"x"]

    outlet = RecordingOutlet()
    exchange = make_exchange(application, outlet, method="POST", body=b"to be dropped")
    file = exchange._request.body.file = io.BytesIO(b"in a file")
    exchange.step()
    assert request["input"] is file
    assert file.closed


def test_uploads():
    assert serve(upload.application, "/echo", method="POST", body=b"sent").body == b"sent"
    assert serve(upload.application, "/lines", method="POST", body=b"a\nb\nc").body == b"3\n"
    assert serve(upload.application, "/", method="POST", body=b"abc").body.startswith(b"3 ba7816bf")


def test_the_request_id_is_the_environs():
    ids = []

    def application(environ, start_response):
        ids.append(environ["hybridd.request_id"])
        start_response("200 OK", [])
        return [b"x"]

    serve(application, fields={"HTTP_X_REQUEST_ID": "given-1"})
    assert ids == ["given-1"]


def test_requests_of_one_server_share_nothing_but_the_base():
    assert make_request().fields is not make_request().fields
