"""What the application is told of a TLS connection."""

from __future__ import annotations

import pytest

from hybridd.app.tls_variables import spell, tls_variables

ALICE = ((("countryName", "DE"),), (("organizationName", "Shop"),), (("commonName", "alice"),))


class Session:
    """An ``ssl.SSLObject`` as far as it is asked."""

    def __init__(self, certificate=None, name=""):
        self.requested_name = name
        self._certificate = certificate

    def cipher(self):
        return "TLS_AES_256_GCM_SHA384", "TLSv1.3", 256

    def version(self):
        return "TLSv1.3"

    def getpeercert(self, binary_form=False):
        return b"\x30\x00" if binary_form and self._certificate else self._certificate


def test_without_a_certificate():
    assert tls_variables(Session()) == {
        "HTTPS": "on", "SSL_PROTOCOL": "TLSv1.3", "SSL_CIPHER": "TLS_AES_256_GCM_SHA384", "SSL_CLIENT_VERIFY": "NONE",
    }  # fmt: skip


def test_with_one():
    found = tls_variables(Session({"subject": ALICE, "issuer": ALICE[:1], "serialNumber": "0A"}, "shop.example"))
    assert found["SSL_CLIENT_VERIFY"] == "SUCCESS"
    assert found["SSL_CLIENT_S_DN"] == "CN=alice,O=Shop,C=DE"
    assert found["SSL_CLIENT_I_DN"] == "C=DE"
    assert found["SSL_CLIENT_M_SERIAL"] == "0A"
    assert found["SSL_TLS_SNI"] == "shop.example"
    assert found["SSL_CLIENT_CERT"].startswith("-----BEGIN CERTIFICATE-----\nMAA=")


@pytest.mark.parametrize(
    ("value", "spelt"),
    [
        ("alice,CN=root", "CN=alice\\,CN=root"),
        ('a+b;c<d>e"f\\g', 'CN=a\\+b\\;c\\<d\\>e\\"f\\\\g'),
        (" #", "CN=\\ #"),
        ("#", "CN=\\#"),
        ("a ", "CN=a\\ "),
        ("a\r\nb\0", "CN=a\\0D\\0Ab\\00"),
        ("Zoë", "CN=ZoÃ«"),
        ("", "CN="),
    ],
)  # fmt: skip
def test_a_name_cannot_pretend_to_be_another(value, spelt):
    assert spell(((("commonName", value),),)) == spelt


def test_a_part_of_several_values_and_one_without_a_short_name():
    assert spell(((("commonName", "a"), ("userId", "b")), (("serialNumber", "7"),))) == "serialNumber=7,CN=a+UID=b"
