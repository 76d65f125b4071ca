from hybridd.compare.percentiles import highest, lowest, percentile, ratio


def test_a_percentile_is_a_value_that_was_measured():
    hundred = [float(value) for value in range(1, 101)]
    assert percentile(hundred, 0.50) == 50.0
    assert percentile(hundred, 0.99) == 99.0
    assert percentile(hundred, 1.0) == 100.0
    assert percentile([7.0], 0.99) == 7.0
    assert percentile([1.0, 2.0, 3.0], 0.0) == 1.0


def test_of_nothing_nothing_is_known():
    assert percentile([], 0.5) is None
    assert lowest([None]) is None
    assert highest([]) is None
    assert ratio(None, 1.0) is None
    assert ratio(1.0, None) is None
    assert ratio(1.0, 0.0) is None


def test_the_best_of_what_is_known():
    assert lowest([None, 3.0, 2.0]) == 2.0
    assert highest([None, 3.0, 2.0]) == 3.0
    assert ratio(3.0, 2.0) == 1.5
