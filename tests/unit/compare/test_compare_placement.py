from hybridd.compare.placement import Placement, place


def test_the_client_has_a_cpu_of_its_own():
    assert place({0, 1}) == Placement((0,), 1)
    assert place({5, 2, 9}) == Placement((2, 5), 9)


def test_one_cpu_is_shared():
    assert place({3}) == Placement((3,), None)
