from __future__ import annotations

import io
import socket

import pytest

from hybridd import __version__
from hybridd.app.environ import base_environ, request_environ
from hybridd.app.file_wrapper import FileWrapper
from hybridd.http.request import KnownFields, Request
from tests.support.outlet import make_request

ERRORS = io.StringIO()


def base(local: str = "192.0.2.1:8080", scheme: str = "http") -> dict:
    return base_environ(local, scheme=scheme, multithread=True, multiprocess=False, errors=ERRORS)


def environ(path: str = "/", **request) -> dict:
    return request_environ(base(), make_request(path, **request))


def test_what_all_requests_share():
    shared = environ()
    assert shared["SERVER_NAME"] == "192.0.2.1"
    assert shared["SERVER_PORT"] == "8080"
    assert shared["SERVER_SOFTWARE"] == f"hybridd/{__version__}"
    assert shared["GATEWAY_INTERFACE"] == "CGI/1.1"
    assert shared["SCRIPT_NAME"] == ""
    assert shared["wsgi.version"] == (1, 0)
    assert shared["wsgi.url_scheme"] == "http"
    assert shared["wsgi.errors"] is ERRORS
    assert shared["wsgi.multithread"] is True
    assert shared["wsgi.multiprocess"] is False
    assert shared["wsgi.run_once"] is False
    assert shared["wsgi.file_wrapper"] is FileWrapper
    assert shared["wsgi.input_terminated"] is True


def test_the_request():
    request = make_request("/a", method="PUT", query="b=c", version=(1, 0), fields={"HTTP_ACCEPT": "*/*"})
    made = request_environ(base(), request)
    assert made["REQUEST_METHOD"] == "PUT"
    assert made["PATH_INFO"] == "/a"
    assert made["QUERY_STRING"] == "b=c"
    assert made["RAW_URI"] == made["REQUEST_URI"] == "/a?b=c"
    assert made["SERVER_PROTOCOL"] == "HTTP/1.0"
    assert made["REMOTE_ADDR"] == "192.0.2.7"
    assert made["REMOTE_PORT"] == "50000"
    assert made["HTTP_HOST"] == "example.test"
    assert made["HTTP_ACCEPT"] == "*/*"
    assert made["hybridd.request_id"] == request.id
    assert made["wsgi.input"].read() == b""
    assert "CONTENT_LENGTH" not in made


def test_http_1_1_and_no_port():
    made = environ(peer_port=0)
    assert made["SERVER_PROTOCOL"] == "HTTP/1.1"
    assert "REMOTE_PORT" not in made


def test_every_value_is_what_wsgi_says():
    for key, value in environ(body=b"x").items():
        assert value is not None, key
        if "." not in key:
            assert type(value) is str, key


@pytest.mark.parametrize(
    ("path", "path_info"),
    [
        ("/", "/"),
        ("/plain", "/plain"),
        ("/a%20b", "/a b"),
        ("/caf%C3%A9", "/caf\xc3\xa9"),
        ("/caf%e9", "/caf\xe9"),
        ("/caf\xc3\xa9%C3%A9", "/caf\xc3\xa9\xc3\xa9"),  # some clients do not encode
        ("/100%", "/100%"),
        ("/%zz%2", "/%zz%2"),
        ("/a%2Fb", "/a/b"),
        ("/%25", "/%"),
        ("/a+b", "/a+b"),
        ("*", ""),
    ],
)
def test_the_path_is_decoded_to_bytes_as_code_points(path, path_info):
    assert environ(path)["PATH_INFO"] == path_info


def test_a_body():
    made = environ(method="POST", body=b"a=b\nc=d\n", fields={"CONTENT_TYPE": "text/plain"})
    assert made["CONTENT_LENGTH"] == "8"
    assert made["CONTENT_TYPE"] == "text/plain"
    assert made["wsgi.input"].readline() == b"a=b\n"
    assert list(made["wsgi.input"]) == [b"c=d\n"]
    assert made["wsgi.input"].read() == b""


def test_a_chunked_body_has_its_length_and_is_not_chunked_any_more():
    request = make_request("/", method="POST", body=b"12345", fields={"HTTP_TRANSFER_ENCODING": "chunked"})
    del request.fields["CONTENT_LENGTH"]
    made = request_environ(base(), request)
    assert made["CONTENT_LENGTH"] == "5"
    assert "HTTP_TRANSFER_ENCODING" not in made
    assert "HTTP_TRANSFER_ENCODING" in request.fields


def test_it_belongs_to_the_application():
    shared, request = base(), make_request()
    request_environ(shared, request).clear()
    made = request_environ(shared, request)
    assert made["HTTP_HOST"] == "example.test"
    assert made["SCRIPT_NAME"] == ""


def test_a_request_that_comes_again_and_again_has_an_environ_of_its_own_each_time():
    shared, fields = base(), KnownFields({"HTTP_HOST": "example.test"})

    def asked(target: bytes, method: str = "GET", peer: str = "192.0.2.7", to=shared) -> dict:
        path, _, query = target.decode().partition("?")
        request = Request(method, target, (1, 1), fields, path, query)
        request.peer = peer
        return request_environ(to, request)

    target, other = b"/a%20b?c=d", b"/"
    first = asked(target).copy()
    for number in range(4):
        made = asked(target, peer=f"192.0.2.{number}")
        assert {name for name in made if made[name] != first[name]} == {
            "REMOTE_ADDR",
            "hybridd.request_id",
            "wsgi.input",
        }
        assert (made["PATH_INFO"], made["QUERY_STRING"], made["REQUEST_URI"]) == ("/a b", "c=d", "/a%20b?c=d")
        made.clear()
    for method in ["GET", "GET", "GET", "POST", "HEAD", "HEAD", "HEAD", "GET"]:  # one target, which is one object
        assert asked(other, method)["REQUEST_METHOD"] == method
        assert asked(other, method)["PATH_INFO"] == "/"
    assert asked(other, to=base("192.0.2.1:99"))["SERVER_PORT"] == "99"
    assert asked(target)["PATH_INFO"] == "/a b"


def test_a_long_target_is_not_kept():
    shared, fields, target = base(), KnownFields({"HTTP_HOST": "example.test"}), b"/" + b"a" * 256
    for _ in range(3):
        made = request_environ(shared, Request("GET", target, (1, 1), fields, target.decode()))
        assert made["REQUEST_URI"] == target.decode()
    assert target not in (fields.derived.seen, fields.derived.target)


@pytest.mark.parametrize(
    ("local", "scheme", "name", "port"),
    [
        ("192.0.2.1:8080", "http", "192.0.2.1", "8080"),
        ("[2001:db8::1]:443", "https", "2001:db8::1", "443"),
        ("0.0.0.0:80", "http", socket.gethostname(), "80"),
        ("[::]:80", "http", socket.gethostname(), "80"),
        ("unix:/run/hybridd.sock", "http", "localhost", "80"),
        ("unix:/run/odd:12", "https", "localhost", "443"),
        ("", "http", "localhost", "80"),
    ],
)
def test_the_server_is_the_listener(local, scheme, name, port):
    made = base(local, scheme)
    assert (made["SERVER_NAME"], made["SERVER_PORT"]) == (name, port)
