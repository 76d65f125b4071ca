"""What a browser is given: small, static, and nothing that the policy would have to make an exception for."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from hybridd.master import dashboard
from hybridd.master.admin import AdminService
from hybridd.master.deaths import Cause
from hybridd.master.pages import front
from tests.support.recording import RecordingTransport

ASKED = {"/": dashboard.PAGE, **dashboard.PARTS}
SCRIPT = dashboard.PARTS["/dashboard.js"].content.decode()


class Elements(HTMLParser):
    """Every element with its attributes, and the text inside of scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in {"meta", "link"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open.pop() != tag:
            assert self.open, f"</{tag}> ends nothing"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"script", "style"}:
            self.inline.append(data)


@pytest.fixture
def page():
    elements = Elements()
    elements.feed(dashboard.PAGE.content.decode())
    return elements


def test_it_is_small():
    assert sum(len(page.content) for page in ASKED.values()) < 20_000


def test_every_element_is_closed(page):
    assert page.open == []


def test_nothing_is_inline_and_nothing_comes_from_elsewhere(page):
    assert not "".join(page.inline).strip()
    for tag, attributes in page.found:
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")], tag
        for address in filter(None, (attributes.get("src"), attributes.get("href"))):
            assert re.fullmatch(r"data:,|[a-z.]+", address), "an address below this one, which a proxy may have moved"
    scripts = [attributes["src"] for tag, attributes in page.found if tag == "script"]
    styles = [attributes["href"] for _, attributes in page.found if attributes.get("rel") == "stylesheet"]
    assert [f"/{address}" for address in (*styles, *scripts)] == list(dashboard.PARTS)


def test_every_place_that_the_script_looks_for_is_there(page):
    there = {attributes["id"] for _, attributes in page.found if "id" in attributes}
    wanted = set(re.findall(r'\b(?:place|fill|tile)\("(\w+)"', SCRIPT))
    assert wanted == there


def test_a_browser_is_told_to_run_this_script_and_nothing_else():
    class Soon:
        now = 0.0

        def call_soon(self, fn, *args):
            fn(*args)

    transport = RecordingTransport()
    transport.connect(AdminService(Soon(), {"/": front}).connection())
    transport.feed(b"GET / HTTP/1.1\r\nHost: t\r\nAccept: text/html,*/*\r\n\r\n")
    transport.settle()
    head, _, body = bytes(transport.client).partition(b"\r\n\r\n")
    assert body == dashboard.PAGE.content
    assert (
        b"\r\nContent-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
        b" img-src data:; require-trusted-types-for 'script'; trusted-types 'none'; frame-ancestors 'none';"
        b" base-uri 'none'; form-action 'none'\r\n" in head + b"\r\n"
    )
    assert b"\r\nX-Content-Type-Options: nosniff\r\n" in head


def test_its_parts_say_what_they_are():
    kinds = {path: page.kind for path, page in ASKED.items()}
    assert kinds == {
        "/": "text/html; charset=utf-8",
        "/dashboard.css": "text/css; charset=utf-8",
        "/dashboard.js": "text/javascript; charset=utf-8",
    }


def test_the_script_knows_which_deaths_were_planned():
    planned = re.search(r"new Set\(\[(.*)\]\)", SCRIPT)[1].replace('"', "").split(", ")
    assert set(planned) < {cause.value for cause in Cause}
    assert {"reload", "recycle"} < set(planned)
    assert "signal" not in planned
