from __future__ import annotations

import os
import re
from html.parser import HTMLParser
from wsgiref.validate import validator

import pytest

from hybridd.app.welcome import welcome
from tests.support.outlet import serve

BROWSER = {"HTTP_ACCEPT": "text/html,application/xhtml+xml,*/*;q=0.8"}


class Page(HTMLParser):
    """Reads a page strictly: every element that is opened is closed; what it refers to is noted."""

    VOID = frozenset({"meta", "link", "path", "circle"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.references: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.references += [value for name, value in attrs if name in {"src", "href", "action"}]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, _attrs):
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_text_for_a_terminal():
    outlet = serve(welcome, fields={"HTTP_ACCEPT": "*/*"})
    assert outlet.status == 200
    assert outlet.headers["Content-Type"] == "text/plain; charset=utf-8"
    text = outlet.body.decode()
    assert text.startswith("hybridd is running.\n")
    assert "hybridd run yourmodule:app" in text
    assert str(os.getpid()) in text
    assert text.isascii()


def test_a_page_for_a_browser():
    outlet = serve(welcome, fields=BROWSER)
    assert outlet.headers["Content-Type"] == "text/html; charset=utf-8"
    page = Page(outlet.body.decode())
    assert page.seen.count("h1") == 1
    assert "script" not in page.seen
    assert [reference for reference in page.references if not reference.startswith("data:")] == []
    assert "prefers-color-scheme: dark" in outlet.body.decode()
    assert "$" not in outlet.body.decode()
    assert len(outlet.body) < 6000


def test_nothing_is_loaded_from_anywhere():
    outlet = serve(welcome, fields=BROWSER)
    assert "default-src 'none'" in outlet.headers["Content-Security-Policy"]
    assert not re.search(rb"(?<!xmlns=\")(?<!xmlns%3D%22)https?:", outlet.body)


@pytest.mark.parametrize("fields", [{}, BROWSER])
def test_head_is_get_without_a_body(fields):
    got, head = serve(welcome, fields=fields), serve(welcome, fields=fields, method="HEAD")
    assert head.headers == got.headers


@pytest.mark.parametrize("fields", [{}, BROWSER])
def test_other_paths(fields):
    assert serve(welcome, "/favicon.ico", fields=fields).status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"])
@pytest.mark.parametrize("fields", [{}, BROWSER])
def test_other_methods(method, fields):
    outlet = serve(welcome, method=method, fields=fields)
    assert outlet.status == 405
    assert outlet.headers["Allow"] == "GET, HEAD"


def test_what_came_from_outside_is_escaped():
    page = serve(welcome, "/%3Cscript%3Ealert(1)%3C/script%3E&$pid", fields=BROWSER).body.decode()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&amp;$pid" in page
    text = serve(welcome, "/%1b[31m%0aroot%c3%a9%ff").body.decode()
    assert r"/\x1b[31m\nroot\xe9\ufffd" in text


@pytest.mark.parametrize("path", ["/", "/nowhere"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("fields", [{}, BROWSER])
def test_the_validator_finds_nothing(path, method, fields, caplog):
    serve(validator(welcome), path, method=method, fields=fields)
    assert not caplog.records
