"""Where to ask for health, and what an answer means; the asking itself is an integration test."""

from __future__ import annotations

import http.client

import pytest

from hybridd.cli.health import Unhealthy, explain, judge, main, reachable
from hybridd.config.address import parse_address

ADMIN = parse_address("127.0.0.1:9815")


@pytest.mark.parametrize(
    ("admin", "asked"),
    [
        ("127.0.0.1:9815", "127.0.0.1:9815"),
        ("0.0.0.0:9815", "127.0.0.1:9815"),
        ("[::]:9815", "[::1]:9815"),
        ("10.0.0.1:9815", "10.0.0.1:9815"),
        ("unix:/run/admin.sock", "unix:/run/admin.sock"),
    ],
)
def test_who_listens_everywhere_is_asked_here(admin, asked):
    assert str(reachable(parse_address(admin))) == asked


@pytest.mark.parametrize("admin", ["fd:3", "systemd:admin", "127.0.0.1:0"])
def test_an_address_that_only_the_server_knows_cannot_be_asked(admin):
    with pytest.raises(Unhealthy, match=f"^where {admin} leads is only known to the running hybridd; give --admin"):
        reachable(parse_address(admin))


def test_without_an_admin_address_nobody_can_be_asked():
    with pytest.raises(Unhealthy, match="the admin address is off"):
        reachable(None)


@pytest.mark.parametrize(("body", "said"), [(b"ready\n", "ready"), (b"", "ok"), (b"\x1b[31mred\nmore", "[31mred")])
def test_a_good_answer_is_its_first_line(body, said):
    assert judge(ADMIN, 200, body) == said


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (503, b"draining\n", "127.0.0.1:9815 answers 503: draining"),
        (503, b"", "127.0.0.1:9815 answers 503"),
        (404, b"\xff", "127.0.0.1:9815 answers 404: \ufffd"),
        (301, b"moved", "127.0.0.1:9815 answers 301: moved"),
    ],
)
def test_a_bad_answer_is_the_reason(status, body, said):
    with pytest.raises(Unhealthy) as caught:
        judge(ADMIN, status, body)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TimeoutError(), "127.0.0.1:9815 does not answer within 2s"),
        (ConnectionRefusedError(111, "x"), "nobody listens on 127.0.0.1:9815; is hybridd running, with this admin"),
        (FileNotFoundError(2, "x"), "nobody listens on 127.0.0.1:9815"),
        (http.client.BadStatusLine("220 smtp"), "127.0.0.1:9815 does not answer in HTTP"),
        (http.client.RemoteDisconnected("x"), "127.0.0.1:9815 hung up without an answer"),
        (ConnectionResetError(104, "x"), "127.0.0.1:9815 hung up without an answer"),
        (PermissionError(13, "Permission denied"), "cannot ask 127.0.0.1:9815: Permission denied"),
    ],
)
def test_an_error_says_what_it_means(error, said):
    assert explain(ADMIN, error, 2.0).startswith(said)


def test_a_configuration_that_cannot_be_read_is_a_reason_and_not_a_traceback(tmp_path, capsys):
    (tmp_path / "a.yaml").write_text("admin: [a\n")
    assert main(["-c", str(tmp_path / "a.yaml")]) == 1
    assert capsys.readouterr().err == (
        f"hybridd: {tmp_path}/a.yaml:1:8: not valid YAML: a [ that is not closed, or a text that needs quotes\n"
    )


def test_a_problem_elsewhere_in_the_configuration_does_not_make_a_service_ill(tmp_path, capsys):
    (tmp_path / "a.yaml").write_text("workers: none at all\nadmin: off\n")
    assert main(["-c", str(tmp_path / "a.yaml")]) == 1
    assert "the admin address is off" in capsys.readouterr().err
