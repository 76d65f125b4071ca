"""Requests and their ids."""

from __future__ import annotations

import pytest

from hybridd.http.request import Request, RequestIds


def request(**fields: str) -> Request:
    return Request("GET", b"/x", (1, 1), fields)


def test_an_id_is_made_once():
    one, other = request(), request()
    assert one.id == one.id
    assert one.id != other.id


@pytest.mark.parametrize(
    "given", ["a", "0123-4567_x.y~", "a/b+c=", "Root=1-67891233-abcdef012345678912345678", "z" * 128]
)
def test_a_clients_id_is_taken_over(given):
    assert request(HTTP_X_REQUEST_ID=given).id == given


@pytest.mark.parametrize("given", ["", "a b", 'a"b', "a\\b", "z" * 129, "ü", "a,b", "<script>", "a\n"])
def test_a_clients_id_that_is_no_plain_word_is_not(given):
    assert request(HTTP_X_REQUEST_ID=given).id != given


def test_the_prefix_tells_processes_apart(monkeypatch):
    ids = RequestIds("w1-")
    monkeypatch.setattr("hybridd.http.request.request_ids", ids)
    assert [request().id, request().id] == ["w1-1", "w1-2"]
    ids.prefix = "w2-"
    assert request().id == "w2-3"


def test_repr_is_the_request_line():
    assert repr(request()) == "<Request GET /x HTTP/1.1>"
