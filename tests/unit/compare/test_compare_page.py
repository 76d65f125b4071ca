import re
from dataclasses import replace
from html.parser import HTMLParser

from hybridd.compare import page
from hybridd.compare.columns import COLUMNS
from hybridd.compare.figures import Comparison

VOID = {"meta", "br"}


class Reader(HTMLParser):
    """Holds that every element is closed, and collects what a page consists of."""

    def __init__(self):
        super().__init__()
        self.open = []
        self.tags = []
        self.ids = []
        self.links = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        values = dict(attrs)
        if "id" in values:
            self.ids.append(values["id"])
        self.links += [values[name] for name in ("src", "href", "srcset") if name in values]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def read(text):
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


def test_it_is_one_page_that_needs_nothing_else(comparison):
    text = page.render(comparison, "hybridd compare")
    reader = read(text)
    assert "script" not in reader.tags
    assert reader.links == []
    assert "url(" not in text
    assert "@import" not in text


def test_it_has_a_chart_for_each_column_and_one_for_the_backlog(comparison):
    reader = read(page.render(comparison, "hybridd compare"))
    assert reader.tags.count("svg") == len(COLUMNS) + 1
    assert len(reader.ids) == len(set(reader.ids))


def test_a_column_without_a_figure_has_no_chart(comparison):
    rows = tuple(replace(row, crash=None, backlog=None) for row in comparison.rows)
    reader = read(page.render(replace(comparison, rows=rows), "hybridd compare"))
    assert reader.tags.count("svg") == len(COLUMNS) - 1


def test_it_can_be_read_in_light_and_dark_and_by_a_screen_reader(comparison):
    text = page.render(comparison, "hybridd compare")
    assert "prefers-color-scheme: dark" in text
    assert '<html lang="en">' in text
    assert len(re.findall('scope="row"', text)) == len(comparison.rows)


def test_what_others_wrote_is_text_and_not_markup(comparison):
    row = replace(comparison.rows[0], problem="<b>bold</b>")
    text = page.render(Comparison((row,), {"Python": "<3>"}), "hybridd compare '<x>:app'")
    assert "<b>" not in text
    assert "<x>" not in text
    assert "<3>" not in text
    read(text)


def test_an_empty_comparison_is_a_page_too():
    read(page.render(Comparison((), {}, complete=False), "hybridd compare"))
