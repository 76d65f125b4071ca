"""The names that the admin endpoint answers to."""

from __future__ import annotations

import pytest

from hybridd.config.address import Address, Kind
from hybridd.config.settings import Config
from hybridd.master.hosts import is_ours, names


@pytest.mark.parametrize(
    "host",
    ["", "127.0.0.1", "127.0.0.1:9815", "[::1]:9815", "[2001:db8::7]", "192.0.2.7:80", "localhost", "LocalHost:9815",
     "hybridd:9815", "web_1", "localhost."],
)  # fmt: skip
def test_addresses_and_names_without_a_dot_cannot_be_rebound(host):
    assert is_ours(host, ())


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:9815", "localhost.evil.example", "127.0.0.1.", "1.2.3.4.5", "a.b"]
)
def test_other_names_are_refused_unless_they_are_listed(host):
    assert is_ours(host, ()) is (host == "127.0.0.1.")  # the root's dot changes nothing
    assert is_ours(host, ["*"])


@pytest.mark.parametrize(
    ("host", "ours"),
    [("metrics.example.org:9815", True), ("METRICS.example.org.", True), ("x.svc.cluster.local", True),
     ("svc.cluster.local", False), ("xsvc.cluster.local", False), ("evil-metrics.example.org", False),
     ("metrics.example.org.evil.example", False)],
)  # fmt: skip
def test_listed_names_and_what_is_below_them(host, ours):
    assert is_ours(host, ["Metrics.example.org", ".svc.cluster.local"]) is ours


def test_the_name_that_the_admin_address_is_bound_by_is_ours():
    assert names(Config(admin=Address(Kind.TCP, host="metrics.internal", port=1))) == ("localhost", "metrics.internal")
    assert names(Config(admin=None, admin_hosts=("a.b",))) == ("a.b",)
