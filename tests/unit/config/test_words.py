"""Choices, references, paths, addresses, and lists."""

from __future__ import annotations

import pytest

from hybridd.config.kind import Raw, Reading, Refused
from hybridd.config.listener_words import parse_endpoint
from hybridd.config.words import account, address, choice, directory, endpoint, file, host, own_file, reference, several

LEVEL = choice("debug", "info", "warning")
WORKER_CLASS = choice("thread", "pool", also={"gthread": "pool"})
APPLICATION = reference("MODULE:CALLABLE", "shop.wsgi:application")
DIRECTORY = directory()
LOG = file("standard error")
ACCESS = file("standard output", off=True)
ADDRESS = address()
ADMIN = address(off=True)
LISTEN = several(endpoint())
PID_FILE = own_file()
USER = account("user")
HOSTS = several(host())


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (LEVEL, "info"), (APPLICATION, ""), (APPLICATION, "shop"), (APPLICATION, "shop.wsgi:app"),
        (APPLICATION, "shop:site.app"), (APPLICATION, "shop:create_app()"),
        (APPLICATION, "shop:create_app('test', n=1)"),
        (APPLICATION, "café.été:app"), (DIRECTORY, ""), (DIRECTORY, "/srv/app"), (DIRECTORY, "/srv/with blank"),
        (LOG, "-"), (LOG, "off"), (LOG, "/var/log/x.log"), (ACCESS, "off"), (ACCESS, "-"), (ADMIN, "off"),
        (ADMIN, "127.0.0.1:9815"), (LISTEN, "0.0.0.0:80,unix:/x"),
        (PID_FILE, ""), (PID_FILE, "/run/hybridd/hybridd.pid"), (PID_FILE, "web.pid"),
        (USER, ""), (USER, "www-data"), (USER, "0"), (USER, "4294967294"), (USER, "shop.web"), (USER, "HOST$"),
        (HOSTS, "localhost,.svc.cluster.local,metrics.example.org"), (HOSTS, "*"),
        (USER, "web@example.org"), (USER, "EXAMPLE\\web"),
    ],
)  # fmt: skip
def test_texts_are_read_and_written_back(kind, text):
    assert kind.text(kind.convert(Raw(text))) == text


@pytest.mark.parametrize(
    ("kind", "raw", "message"),
    [
        (LEVEL, Raw("Info"), "debug, info or warning, got Info; did you mean info"),
        (LEVEL, Raw("no", Reading.BOOLEAN), "debug, info or warning, got no"),
        (APPLICATION, Raw("app.py"), "…, got app.py; did you mean app:application"),
        (APPLICATION, Raw("./shop/wsgi.py:app"), "…, got ./shop/wsgi.py:app; did you mean shop.wsgi:app"),
        (APPLICATION, Raw("shop/wsgi"), "…, got shop/wsgi; did you mean shop.wsgi:application"),
        (APPLICATION, Raw("shop:"), "…, got shop:; did you mean shop:application"),
        (APPLICATION, Raw(":app"), "…, got :app"),
        (APPLICATION, Raw("/srv/wsgi.py"), "…, got /srv/wsgi.py; with chdir /srv it is wsgi:application"),
        (APPLICATION, Raw("../wsgi.py:app"), "…, got ../wsgi.py:app; with chdir .. it is wsgi:app"),
        (APPLICATION, Raw("/wsgi.py"), "…, got /wsgi.py; with chdir / it is wsgi:application"),
        (APPLICATION, Raw("/srv/shop"), "…, got /srv/shop; name a module, with chdir for its directory"),
        (WORKER_CLASS, Raw("gthread"), "thread or pool, got gthread; did you mean pool"),
        (APPLICATION, Raw("shop app"), '…, got "shop app"'),
        (APPLICATION, Raw("shop:app)("), "…, got shop:app)("),
        (APPLICATION, Raw("12", Reading.INTEGER), "…, got 12 (which YAML reads as a number); put it in quotes"),
        (DIRECTORY, Raw("/a\nb"), r'the path of a directory, got "/a\nb"'),
        (LOG, Raw(""), 'the path of a file, or - (standard error), got ""'),
        (LOG, Raw("/var/log/"), "the path of a file, or - (standard error), got /var/log/"),
        (LOG, Raw("off", Reading.BOOLEAN),
         "the path of a file, or - (standard error), got off (which YAML reads as a boolean); put it in quotes"),
        (ACCESS, Raw("no", Reading.BOOLEAN),
         "the path of a file, - (standard output) or off, got no; did you mean off"),
        (ACCESS, Raw("1.5", Reading.FLOAT),
         "the path of a file, - (standard output) or off, got 1.5 (which YAML reads as a fraction); put it in quotes"),
        (ADDRESS, Raw("0.0.0.0:99999"), "a port from 0 to 65535 after the last colon, got 0.0.0.0:99999"),
        (ADMIN, Raw("false", Reading.BOOLEAN), "an address …; or off, got false; did you mean off"),
        (ADMIN, Raw("127.0.0.1:9815 tls"),
         ('an address without words behind it, which only those of listen have, got "127.0.0.1:9815 tls";'
          " did you mean 127.0.0.1:9815")),
        (ADMIN, Raw("9815", Reading.INTEGER), "an address …; or off, got 9815; did you mean 0.0.0.0:9815"),
        (LISTEN, Raw("0.0.0.0:80,"), 'an address …, got ""'),
        (PID_FILE, Raw("/run/"), "the path of a file, got /run/"),
        (PID_FILE, Raw("-"), "the path of a file, got -"),
        (PID_FILE, Raw("no", Reading.BOOLEAN),
         "the path of a file, got no (which YAML reads as a boolean); put it in quotes"),
        (HOSTS, Raw("http://a.example:80/"),
         "the name of a host, .NAME for all below it, or *, got http://a.example:80/; did you mean a.example"),
        (HOSTS, Raw("*.example.org"),
         "the name of a host, .NAME for all below it, or *, got *.example.org; did you mean .example.org"),
        (USER, Raw("web:adm"), "the name or number of a user, got web:adm"),
        (USER, Raw("web adm"), 'the name or number of a user, got "web adm"'),
        (USER, Raw("-1", Reading.INTEGER), "the name or number of a user, got -1"),
        (USER, Raw("4294967295", Reading.INTEGER), "the name or number of a user, got 4294967295"),
        (USER, Raw("010", Reading.INTEGER), "the name or number of a user, got 010"),
        (USER, Raw("1_000", Reading.INTEGER), "the name or number of a user, got 1_000"),
        (USER, Raw("on", Reading.BOOLEAN),
         "the name or number of a user, got on (which YAML reads as a boolean); put it in quotes"),
    ],
)  # fmt: skip
def test_a_refusal_is_a_sentence(kind, raw, message):
    with pytest.raises(Refused) as caught:
        kind.convert(raw)
    beginning, _, end = f"expected {message}".partition("…")
    assert str(caught.value).startswith(beginning)
    assert str(caught.value).endswith(end)


def test_off_is_the_word_whatever_yaml_reads_in_it():
    assert ACCESS.convert(Raw("off", Reading.BOOLEAN)) == "off"
    assert ADMIN.convert(Raw("off", Reading.BOOLEAN)) is None


def test_a_number_is_an_account_without_quotes():
    assert USER.convert(Raw("1000", Reading.INTEGER)) == "1000"


def test_several_are_separated_by_commas_only_where_there_are_no_lists():
    one, other = parse_endpoint("0.0.0.0:80"), parse_endpoint("[::]:80 tls")
    assert LISTEN.convert(Raw("0.0.0.0:80, [::]:80 tls")) == (one, other)
    assert LISTEN.convert(Raw("[::]:80 tls", Reading.STRING, quoted=True)) == (other,)
    with pytest.raises(Refused):
        LISTEN.convert(Raw("0.0.0.0:80,[::]:80", Reading.STRING, quoted=True))
    assert LISTEN.item is not None
