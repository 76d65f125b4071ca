"""Whole applications: the standard library's validator around them, and a Flask site."""

from __future__ import annotations

import contextvars
import json
from wsgiref.validate import validator

import pytest

from hybridd.app.wsgi import WsgiServer
from tests.apps import hello, legacy_write, site_flask, streaming, validated
from tests.support.outlet import RecordingOutlet, make_exchange, make_request, serve


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/", "/length", "/write", "/stream", "/none", "/a%20b"])
def test_the_validator_finds_nothing(method, path, caplog):
    outlet = serve(validated.application, path, method=method)
    assert outlet.status == (204 if path == "/none" else 200)
    assert [record.getMessage() for record in caplog.records] == [f"seen {path.replace('%20', ' ')}"]
    if method == "GET" and path != "/none":
        assert outlet.body == b"hello\n"


def test_the_validator_finds_nothing_with_a_body(caplog):
    outlet = serve(validated.application, "/stream", method="POST", body=b"uploaded")
    assert outlet.body == b"uploaded"
    assert not [record for record in caplog.records if record.name == "hybridd.app"]


def test_the_validator_finds_nothing_when_the_client_goes(caplog):
    def leaves(outlet):
        outlet.gone = True

    outlet = RecordingOutlet(leaves)
    assert make_exchange(validated.application, outlet, "/stream").step()
    assert outlet.body == b"he"
    assert not [record for record in caplog.records if record.name == "hybridd.app"]


@pytest.mark.parametrize("application", [streaming.application, legacy_write.application, hello.application])
def test_the_validator_finds_nothing_around_other_applications(application, caplog):
    assert serve(validator(application)).status == 200
    assert not caplog.records


def test_the_validator_can_fail(caplog):
    """Or the tests above would say nothing."""

    def no_type(environ, start_response):
        start_response("200 OK", [])
        return [b"x"]

    assert serve(validator(no_type)).status == 500
    assert "No Content-Type header" in caplog.text


def test_listeners_have_an_environ_each():
    server = WsgiServer(hello.application, multithread=True, multiprocess=False)
    assert server.base("192.0.2.1:443") is server.base("192.0.2.1:443")
    assert server.base("192.0.2.1:443")["SERVER_PORT"] == "443"
    assert server.base("192.0.2.2:8443")["SERVER_NAME"] == "192.0.2.2"
    assert server.base("")["wsgi.url_scheme"] == "http"
    assert server.base("", "https")["wsgi.url_scheme"] == "https"
    assert server.base("", "https")["SERVER_PORT"] == "443"


def test_nothing_runs_before_the_first_step():
    ran = []

    def application(environ, start_response):
        ran.append(environ["REMOTE_PORT"])
        start_response("200 OK", [])
        return [b"x"]

    outlet = RecordingOutlet()
    server = WsgiServer(application, multithread=True, multiprocess=True)
    exchange = server.exchanges("192.0.2.1:8080")(make_request(peer_port=1234), outlet)
    assert ran == []
    exchange.step()
    assert ran == ["1234"]


class TestFlask:
    def test_json(self):
        sent = json.dumps({"a": [1, "ä"]}).encode()
        outlet = serve(site_flask.app, "/json", method="POST", body=sent, fields={"CONTENT_TYPE": "application/json"})
        assert json.loads(outlet.body)["got"] == {"a": [1, "ä"]}
        assert outlet.headers["Content-Type"] == "application/json"

    def test_upload(self):
        body = (
            b'--b\r\nContent-Disposition: form-data; name="word"\r\n\r\nvalue\r\n'
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="f.txt"\r\n\r\ncontent\r\n--b--\r\n'
        )
        outlet = serve(
            site_flask.app,
            "/upload",
            method="POST",
            body=body,
            fields={"CONTENT_TYPE": "multipart/form-data; boundary=b"},
        )
        answer = json.loads(outlet.body)
        assert answer["form"] == {"word": "value"}
        assert answer["files"]["file"][:2] == ["f.txt", 7]

    def test_streamed_download_in_its_request_context(self):
        outlet = RecordingOutlet(lambda outlet: setattr(outlet, "behind", True))
        exchange = make_exchange(site_flask.app, outlet, "/download", query="rows=3&word=w")
        context = contextvars.copy_context()
        while not context.run(exchange.step):
            outlet.behind = False
        assert outlet.body == b"0,w,/download\n1,w,/download\n2,w,/download\n"

    def test_cookies(self):
        outlet = serve(site_flask.app, "/cookie", fields={"HTTP_COOKIE": "visits=4"})
        assert outlet.body == b"4"
        cookies = [value for name, value in outlet.head.headers if name == "Set-Cookie"]
        assert cookies == ["visits=5; HttpOnly; Path=/", "second=cookie; Path=/"]

    def test_a_file_goes_as_a_file(self):
        outlet = serve(site_flask.app, "/file")
        assert outlet.calls == ["start", "send_file", "finish"]
        assert b"send_file(__file__" in outlet.body

    def test_a_part_of_a_file(self):
        outlet = serve(site_flask.app, "/file", fields={"HTTP_RANGE": "bytes=0-2"})
        assert (outlet.status, outlet.body) == (206, b'"""')

    def test_head_and_not_found(self):
        assert serve(site_flask.app, "/", method="HEAD").body == b""
        assert serve(site_flask.app, "/nowhere").status == 404

    def test_an_error_in_a_view_is_flasks_to_report(self, caplog):
        assert serve(site_flask.app, "/error").status == 500
        assert "RuntimeError: raised in a view" in caplog.text
