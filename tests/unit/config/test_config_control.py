"""Where the control socket is."""

from __future__ import annotations

import pytest

from hybridd.config.control import control_path


@pytest.mark.parametrize(
    ("setting", "environment", "path"),
    [
        ("auto", {}, ""),
        ("off", {"RUNTIME_DIRECTORY": "/run/a"}, ""),
        ("auto", {"RUNTIME_DIRECTORY": "/run/a"}, "/run/a/hybridd.ctl"),
        ("auto", {"RUNTIME_DIRECTORY": "/run/a:/run/b"}, "/run/a/hybridd.ctl"),
        ("/x/y.ctl", {"RUNTIME_DIRECTORY": "/run/a"}, "/x/y.ctl"),
    ],
)
def test_where_the_socket_is(setting, environment, path):
    assert control_path(setting, environment) == path
