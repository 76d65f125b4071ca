"""An exchange with an application that fails or breaks PEP 3333: what the client gets, what the log says."""

from __future__ import annotations

import re

import pytest

from hybridd.app.exchange import ClientGoneError
from tests.apps import bad_headers, error_info, raising, wrong_length, wrong_results
from tests.support.outlet import RecordingOutlet, make_exchange, serve


@pytest.fixture
def logged(caplog):
    """Return the one message in the log of applications, and its record."""

    def only():
        (record,) = [record for record in caplog.records if record.name == "hybridd.app"]
        assert record.levelname == "ERROR"
        return record.getMessage(), record

    return only


def check_500(outlet: RecordingOutlet) -> None:
    assert outlet.calls == ["whole"]
    assert outlet.status == 500
    assert re.fullmatch(rb"500 Internal Server Error\nThe error log says why, under request \w+\.\n", outlet.body)
    assert outlet.headers == {"Content-Type": "text/plain; charset=utf-8"}


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/before", "ValueError: raised before start_response"),
        ("/after", "ValueError: raised after start_response"),
        ("/first", "ValueError: raised before the first part"),
        ("/exit", "SystemExit: 3"),
        ("/interrupt", "KeyboardInterrupt"),
        ("/generator-exit", "GeneratorExit"),
        ("/unprintable", "UnprintableError: (its text cannot be shown)"),
    ],
)
def test_raising_before_anything_is_sent(path, words, logged):
    outlet = serve(raising.application, path, method="POST", fields={"HTTP_X_REQUEST_ID": "r1"})
    check_500(outlet)
    message, record = logged()
    assert message == f"POST {path}: {words} (r1)"
    assert record.fields == {"method": "POST", "path": path, "request_id": "r1"}
    assert record.exc_info[2].tb_frame.f_code.co_filename == raising.__file__  # begins with the user's frame


def test_raising_later_cuts_the_response(logged):
    outlet = serve(raising.application, "/later")
    assert outlet.calls == ["start", "abort"]
    assert outlet.body == b"begun\n"
    assert "ValueError: raised between two parts" in logged()[0]


def test_raising_in_close_touches_no_response(logged):
    outlet = serve(raising.application, "/close")
    assert outlet.calls == ["start", "finish"]
    assert "OSError: raised in close" in logged()[0]


def test_raising_in_iter(logged):
    class NoIterator:
        closed = 0

        def __iter__(self):
            raise ValueError("in iter")

        def close(self):
            self.closed += 1

    result = NoIterator()

    def application(environ, start_response):
        start_response("200 OK", [])
        return result

    check_500(serve(application))
    assert "ValueError: in iter" in logged()[0]
    assert result.closed == 1


def test_raising_in_next_closes_too():
    class Fails:
        closed = 0

        def __iter__(self):
            return self

        def __next__(self):
            raise SystemExit

        def close(self):
            self.closed += 1

    result = Fails()

    def application(environ, start_response):
        start_response("200 OK", [])
        return result

    check_500(serve(application))
    assert result.closed == 1


def test_an_application_that_raises_the_end_of_iteration(logged):
    def application(environ, start_response):
        raise StopIteration

    check_500(serve(application))
    assert "StopIteration" in logged()[0]


def test_the_next_request_is_served():
    check_500(serve(raising.application, "/before"))
    assert serve(raising.application, "/fine").body == b"begun\nended\n"


def test_exc_info_after_the_head_raises_again(logged):
    outlet = serve(error_info.application, "/late")
    assert outlet.calls == ["start", "abort"]
    assert outlet.body == b"begun\n"
    assert "IndexError: pop from empty list" in logged()[0]


def test_start_response_twice(logged):
    check_500(serve(error_info.application, "/twice"))
    assert "AssertionError: start_response was called a second time without exc_info" in logged()[0]


@pytest.mark.parametrize("path", sorted(bad_headers.HEADS))
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_bad_head_is_never_sent(path, method, logged):
    check_500(serve(bad_headers.application, path, method=method))
    message, record = logged()
    assert re.search(r": (TypeError|ValueError): ", message)
    assert record.exc_info[2].tb_frame.f_code.co_filename == bad_headers.__file__


def test_a_refused_head_does_not_leave_the_one_before(logged):
    def application(environ, start_response):
        start_response("200 OK", [("X-Good", "1")])
        with pytest.raises(ValueError, match="X-Bad"):
            start_response("200 OK", [("X-Bad", "a\nb")], (ValueError, ValueError(), None))
        return [b"not with the old head"]

    check_500(serve(application))
    assert "before it called start_response" in logged()[0]


@pytest.mark.parametrize("kind", ["list", "generator"])
def test_too_much_is_cut_off(kind, logged):
    outlet = serve(wrong_length.application, query=f"says=3&gives=5&as={kind}")
    assert outlet.body == b"xxx"
    assert outlet.ended
    assert "abort" not in outlet.calls
    assert re.search(
        r"the application gave [12] bytes beyond its Content-Length; they are not sent \(\w+\)$", logged()[0]
    )


def test_too_much_in_one_part_among_several(logged):
    def application(environ, start_response):
        start_response("200 OK", [("Content-Length", "3")])
        return iter([b"ab", b"cde"])

    outlet = serve(application)
    assert outlet.calls == ["start", "send", "finish"]
    assert outlet.body == b"abc"
    assert "gave 2 bytes beyond" in logged()[0]


def test_something_where_there_should_be_nothing(logged):
    outlet = serve(wrong_length.application, query="says=0&gives=5")
    assert (outlet.calls, outlet.status, outlet.body) == (["whole"], 200, b"")
    assert "gave 5 bytes beyond" in logged()[0]


def test_too_much_written_raises_in_the_application(logged):
    outlet = serve(wrong_length.application, query="says=3&gives=5&as=write")
    assert (outlet.calls, outlet.body) == (["whole"], b"xxx")
    assert "ValueError: write() went 2 bytes beyond the Content-Length" in logged()[0]


def test_an_endless_generator_with_a_length_is_stopped(logged):
    def application(environ, start_response):
        start_response("200 OK", [("Content-Length", "3")])
        while True:
            yield b"x"

    outlet = serve(application)
    assert outlet.body == b"xxx"
    assert "gave 1 bytes beyond" in logged()[0]


def test_too_little_that_is_known_in_time_is_an_error(logged):
    check_500(serve(wrong_length.application, query="says=5&gives=3"))
    assert "gave a body that is 2 bytes shorter than its Content-Length" in logged()[0]


def test_nothing_where_there_should_be_something(logged):
    check_500(serve(wrong_length.application, query="says=5&gives=0&as=generator"))
    assert "5 bytes shorter" in logged()[0]


@pytest.mark.parametrize("kind", ["generator", "write"])
def test_too_little_is_cut(kind, logged):
    outlet = serve(wrong_length.application, query=f"says=5&gives=3&as={kind}")
    assert outlet.calls[-1] == "abort"
    assert outlet.body == b"xxx"
    assert "2 bytes shorter" in logged()[0]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/none", "returned None, not an iterable of bytes like [body]"),
        ("/str", "returned str, not an iterable of bytes like [body]"),
        ("/bytes", "returned bytes, not an iterable of bytes like [body]"),
        ("/list-of-str", "yielded str; a body is made of bytes"),
        ("/list-of-int", "yielded int; a body is made of bytes"),
        ("/bytearray", "yielded bytearray; a body is made of bytes"),
        ("/generator-of-str", "yielded str; a body is made of bytes"),
        ("/no-start-response", "gave a part of its body before it called start_response"),
        ("/no-start-response-empty", "did not call start_response"),
    ],
)
def test_wrong_results(path, words, logged):
    check_500(serve(wrong_results.application, path))
    message, record = logged()
    assert message.startswith(f"GET {path}: the application {words} (")
    assert record.exc_info is None


def test_a_number_is_not_iterable(logged):
    check_500(serve(wrong_results.application, "/number"))
    assert "TypeError: 'int' object is not iterable" in logged()[0]


@pytest.mark.parametrize("path", ["/mixed", "/late-str"])
def test_wrong_parts_behind_good_ones_cut_the_response(path, logged):
    outlet = serve(wrong_results.application, path)
    assert outlet.calls == ["start", "abort"]
    assert outlet.body == b"hello"
    assert "yielded str" in logged()[0]


@pytest.mark.parametrize("value", ["text", None, 5, bytearray(b"x")])
def test_write_takes_bytes(value, logged):
    def application(environ, start_response):
        start_response("200 OK", [])(value)
        return []

    check_500(serve(application))
    assert "TypeError: write() takes bytes, not" in logged()[0]


def test_write_outside_of_its_request():
    kept = []

    def application(environ, start_response):
        kept.append(start_response("200 OK", []))
        return [b"over"]

    serve(application)
    with pytest.raises(RuntimeError, match="outside of its request"):
        kept[0](b"late")


def test_write_may_be_survived():
    """An application that catches what write() raises goes on as it likes."""

    def application(environ, start_response):
        write = start_response("200 OK", [("Content-Length", "2")])
        with pytest.raises(ValueError, match="beyond"):
            write(b"abc")
        return []

    outlet = serve(application)
    assert (outlet.calls, outlet.body) == (["whole"], b"ab")


def test_another_connection_error_of_the_application_is_its_error(logged):
    def application(environ, start_response):
        raise ConnectionResetError("the database")

    check_500(serve(application))
    assert "ConnectionResetError: the database" in logged()[0]
    assert issubclass(ClientGoneError, ConnectionError)


def test_an_unfinished_line_of_wsgi_errors_ends_with_its_request(caplog):
    def application(environ, start_response):
        environ["wsgi.errors"].write("no line end")
        start_response("200 OK", [])
        return [b"x"]

    serve(application)
    assert [record.getMessage() for record in caplog.records] == ["no line end"]


def test_a_log_that_raises_leaves_the_window_closed(monkeypatch):
    outlet = RecordingOutlet()
    monkeypatch.setattr("hybridd.app.exchange.report_exception", lambda *_: (_ for _ in ()).throw(MemoryError()))
    with pytest.raises(MemoryError):
        make_exchange(raising.application, outlet, "/before").step()
    assert not outlet.open
