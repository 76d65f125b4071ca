import pytest

from hybridd.compare.patterns import PATTERNS, choose
from hybridd.errors import UsageError


def test_all_seven_are_there_and_two_of_them_have_several_workers():
    assert [pattern.name for pattern in PATTERNS] == [
        "serial", "process", "thread", "prefork", "pool", "reactor", "hybrid",
    ]  # fmt: skip
    assert [pattern.name for pattern in PATTERNS if pattern.several] == ["prefork", "hybrid"]


def test_a_list_is_taken_in_its_order_and_each_name_once():
    assert [pattern.name for pattern in choose("hybrid, serial,hybrid,")] == ["hybrid", "serial"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("serial,hybird", "--patterns: there is no pattern hybird; did you mean hybrid"),
        ("xyz", "they are serial, process, thread, prefork, pool, reactor, hybrid"),
        (" , ", "got nothing"),
    ],
)
def test_what_is_no_pattern_is_refused_with_what_was_meant(text, said):
    with pytest.raises(UsageError) as refused:
        choose(text)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
