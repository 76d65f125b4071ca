"""The pieces of TLS that decide: certificates by name, warnings, turns, what waits to be sent."""

from __future__ import annotations

import os
import ssl

import pytest

from hybridd.net.tls_handshake import MOST_IN_A_TURN, HandshakeError, Turns, _explained
from hybridd.net.tls_material import Certificate, MaterialError, Pair, check_key, find, read_certificate
from hybridd.net.tls_queue import MOST_CONTROL, TlsSendQueue
from hybridd.net.tls_session import PIECE

DAY = 86_400.0


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("shop.example", 1), ("SHOP.Example.", 1), ("www.shop.example", 2), ("a.www.shop.example", None),
        ("example", None), ("", None), ("*.shop.example", 2), ("exact.shop.example", 3),
    ],
)  # fmt: skip
def test_a_name_goes_before_its_wildcard_which_stands_for_one_label(wanted, found):
    assert find({"shop.example": 1, "*.shop.example": 2, "exact.shop.example": 3}, wanted) == found


@pytest.mark.parametrize(
    ("now", "remark"),
    [
        (-1.0, "is not valid before 1970-01-01"),
        (0.0, ""),
        (85.9 * DAY, ""),
        (86.1 * DAY, "expires on 1970-04-11 00:00 UTC (days left: 13): renew it"),
        (100 * DAY, "expired on 1970-04-11 00:00 UTC: clients refuse it"),
    ],
)
def test_what_to_warn_of(now, remark):
    found = Certificate("shop", (), 0.0, 100 * DAY).remark(now)
    assert found.startswith(remark)
    assert bool(found) == bool(remark)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (b"", "has no private key in it"),
        (b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n", "has a key in it that is encrypted"),
        (b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n", "has a key in it that is encrypted"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "has a key in it that cannot be used"),
    ],
)
def test_a_key_that_is_none(key, said):
    with pytest.raises(MaterialError, match=said):
        check_key(Pair(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", key))


@pytest.mark.parametrize("pem", [b"", b"\x30\x82", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_certificate_that_is_none(pem):
    with pytest.raises(MaterialError, match=r"has (no|a) certificate in it"):
        read_certificate(pem)


def test_a_few_handshakes_are_advanced_in_a_turn():
    turns = Turns()
    assert [turns.take(1.0) for _ in range(MOST_IN_A_TURN + 2)] == [True] * MOST_IN_A_TURN + [False] * 2
    assert turns.take(2.0)
    turns.give_back()
    assert [turns.take(2.0) for _ in range(MOST_IN_A_TURN + 1)] == [True] * MOST_IN_A_TURN + [False]


@pytest.mark.parametrize(
    ("reason", "result"),
    [
        ("UNSUPPORTED_PROTOCOL", "version"), ("NO_SHARED_CIPHER", "cipher"), ("NO_SUITABLE_KEY_SHARE", "cipher"),
        ("PEER_DID_NOT_RETURN_A_CERTIFICATE", "client_certificate"), ("TLSV1_ALERT_UNKNOWN_CA", "alert"),
        ("SSLV3_ALERT_BAD_CERTIFICATE", "alert"), ("BAD_EXTENSION", "failed"), (None, "failed"),
    ],
)  # fmt: skip
def test_the_reason_of_a_failure_has_a_word(reason, result):
    error = ssl.SSLError(1, "x")
    error.reason = reason
    explained = _explained(error)
    assert isinstance(explained, HandshakeError)
    assert explained.result == result


class Session:
    """Encrypts into brackets."""

    def seal(self, data):
        return b"<%b>" % bytes(data)


class Socket:
    """Takes ``room`` bytes."""

    def __init__(self, room):
        self.room = room
        self.taken = b""

    def send(self, data):
        if not self.room:
            raise BlockingIOError
        part = bytes(data[: self.room])
        self.room -= len(part)
        self.taken += part
        return len(part)


def test_what_waits_is_encrypted_when_it_is_its_turn_and_in_order(tmp_path):
    queue, sock = TlsSendQueue(Session()), Socket(4)
    file = tmp_path / "file"
    file.write_bytes(b"0123456789")
    queue.append_sealed(b"[head]")
    queue.append(b"one")
    queue.append(memoryview(b"two"))
    queue.append_file(os.open(file, os.O_RDONLY), 2, 5)
    queue.append(b"end")
    assert queue.size == 6 + 6 + 5 + 3
    assert list(queue.send(sock)) == [4]
    assert (queue.size, queue.sent) == (16, 4)
    queue.append_control(b"[key]")
    sock.room = 10_000
    assert sum(queue.send(sock)) == len("d][key]<onetwo><23456><end>")
    assert sock.taken == b"[head][key]<onetwo><23456><end>"
    assert queue.size == 0


def test_a_large_text_goes_in_pieces_and_a_turn_has_an_end():
    queue, sock = TlsSendQueue(Session()), Socket(10**9)
    queue.append(b"x" * (PIECE * 20))
    assert list(queue.send(sock)) == [PIECE + 2] * 16
    assert queue.size == PIECE * 4
    queue.close()
    assert queue.size == 0


def test_a_file_that_became_shorter_ends_the_connection(tmp_path):
    queue = TlsSendQueue(Session())
    (tmp_path / "file").write_bytes(b"abc")
    queue.append_file(os.open(tmp_path / "file", os.O_RDONLY), 0, 10)
    sock = Socket(100)
    with pytest.raises(OSError, match="became shorter"):
        list(queue.send(sock))
    assert sock.taken == b"<abc>"
    queue.close()


def test_who_asks_for_new_keys_and_does_not_read_is_cut_off():
    queue = TlsSendQueue(Session())
    queue.append_control(b"x" * MOST_CONTROL)
    with pytest.raises(OSError, match="new keys"):
        queue.append_control(b"x")
