"""YAML texts as nodes with places, and what is not taken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridd.config.document import DEEPEST, Entry, List, Mapping, Scalar, Unusable, parse
from hybridd.config.kind import Raw, Reading
from hybridd.config.problem import Mark


def fault(text):
    (only,) = parse(text).faults
    return f"{only.mark.line}:{only.mark.column} {only.text}"


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "---\n", "\ufeff"])
def test_an_empty_text_is_an_empty_document(text):
    document = parse(text.removeprefix("\ufeff"))
    assert not document.faults
    assert document.root is None or document.root.raw.reading is Reading.NOTHING


def test_every_node_has_its_place():
    document = parse("a: 1\nb:\n  - x\n  - 'y'\n")
    assert document.faults == ()
    assert document.root == Mapping(
        Mark(1, 1),
        (
            Entry(Mark(1, 1), "a", Scalar(Mark(1, 4), Raw("1", Reading.INTEGER))),
            Entry(
                Mark(2, 1),
                "b",
                List(
                    Mark(3, 3),
                    (
                        Scalar(Mark(3, 5), Raw("x", Reading.STRING)),
                        Scalar(Mark(4, 5), Raw("y", Reading.STRING, quoted=True)),
                    ),
                ),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("1", Reading.INTEGER), ("22:30", Reading.INTEGER), ("010", Reading.INTEGER), ("0x1F", Reading.INTEGER),
        ("1.0", Reading.FLOAT), (".inf", Reading.FLOAT), ("1e3", Reading.STRING), ("no", Reading.BOOLEAN),
        ("On", Reading.BOOLEAN), ("true", Reading.BOOLEAN), ("n", Reading.STRING), ("~", Reading.NOTHING),
        ("null", Reading.NOTHING), ("", Reading.NOTHING), ("2024-01-01", Reading.DATE), ("30s", Reading.STRING),
        ("-", Reading.STRING), ("=", Reading.STRING),
    ],
)  # fmt: skip
def test_what_yaml_reads_in_a_plain_text_is_noted_and_not_done(text, reading):
    (entry,) = parse(f"k: {text}\n").root.entries if text != "-" else parse('k: "-"\n').root.entries
    assert entry.value.raw.text == text
    assert entry.value.raw.reading is reading


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: &x 1", "1:4 an anchor (&x) is not taken; write the value out where it is needed"),
        ("a: *x", "1:4 an alias (*x) is not taken; write the value out"),
        ("a: !!int 1", "1:4 a tag (!!int) is not taken; write the value without"),
        ("a: !env X", "1:4 a tag (!env) is not taken; write the value without"),
        ("<<: {a: 1}", "1:1 a merge key (<<) is not taken; write the values out"),
        ("a: 1\nb: 2\na: 3", "3:1 a: given twice, first in line 1"),
        ("? {a: 1}\n: 2", "1:3 expected a name before the colon, got a list or a mapping"),
        ("a: 1\n...\n---\nb: 1", '3:1 a second document ("---"); a configuration is one'),
        ("a: 1\n---\nb: : :", '2:1 a second document ("---"); a configuration is one'),
        ("é: \x00", "1:4 a control character (U+0000)"),
        ("a: b\nc: \x7f", "2:4 a control character (U+007F)"),
        ('a: "\\U00110000"', "1:7 not valid YAML: an escape of no character"),
        ("x: - y", '1:4 not valid YAML: a list item ("- ") where none can be; it begins on a line of its own'),
        ("# note\nworkers:2\n# note\n\nthreads: 3", "2:8 not valid YAML: a colon needs a blank after it"),
        ("a: %x", "1:4 not valid YAML: a text cannot begin with %; put it in quotes"),
        ("a: @x", "1:4 not valid YAML: a text cannot begin with @; put it in quotes"),
        ("a: `x`", "1:4 not valid YAML: a text cannot begin with a backquote; put it in quotes"),
        ("!x a: 1", "1:1 a tag (!x) is not taken; write the value without"),
        (
            "# a\n - b: c: d",
            '2:8 not valid YAML: a ":" where none can be; wrong indentation, or a text that needs quotes',
        ),
        ("a: [", "1:5 not valid YAML: a [ or { that is not closed"),
        ("a: [,]", "1:5 not valid YAML: a text that needs quotes"),
        ("a: {b", "1:4 not valid YAML: a { that is not closed, or a text that needs quotes"),
        ("- a: 1\n b: c: d", "2:2 not valid YAML: wrong indentation, or a text that needs quotes"),
    ],
)
def test_what_is_not_taken_is_told_with_its_place(text, told):
    assert fault(text) == told


def test_a_value_with_a_fault_is_left_out_and_the_others_stay():
    document = parse("a: !!int 1\nb: 2\n")
    assert [entry.value for entry in document.root.entries] == [
        Unusable(Mark(1, 4)),
        Scalar(Mark(2, 4), Raw("2", Reading.INTEGER)),
    ]


def test_depth_is_bounded_and_a_bomb_costs_nothing():
    assert not parse("a: " + "[" * (DEEPEST - 1) + "]" * (DEEPEST - 1)).faults
    assert "nested too deep" in fault("a: " + "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1))
    assert "nested too deep" in fault("[" * 100_000)
    assert "nested too deep" in fault("{a: " * 5_000)
    laughs = "a: &a [x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(9)
    )
    assert len(parse(laughs).faults) == 10 + 18


@given(st.text(alphabet="ab:-[]{}#&*!|>'\"%@`?,. \n\t\\Uu0~=<", max_size=60))
def test_any_text_is_parsed_or_has_faults_inside_of_it(text):
    document = parse(text)
    lines = text.count("\n") + 1
    for one in document.faults:
        assert 1 <= one.mark.line <= lines
        assert one.mark.column >= 1
        assert "\n" not in one.text


@given(st.text(max_size=60))
def test_any_character_is_taken_or_told(text):
    document = parse(text)
    assert document.root is None or not any("control" in one.text for one in document.faults)
