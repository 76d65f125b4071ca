import pytest

from hybridd.compare.session import overflow


@pytest.mark.parametrize(("setting", "said"), [("0", "times out"), ("1", "refused by a reset"), ("", "times out")])
def test_what_a_full_backlog_means_is_a_setting_of_the_kernel(setting, said):
    assert said in overflow(setting)
