import pytest

from hybridd.compare.demonstration import application, sleep_of


def ask(path, query=""):
    said = []
    body = application(
        {"PATH_INFO": path, "QUERY_STRING": query}, lambda status, headers: said.append((status, headers))
    )
    ((status, headers),) = said
    assert dict(headers)["Content-Length"] == str(len(b"".join(body)))
    return status, b"".join(body)


def test_its_routes():
    assert ask("/") == ("200 OK", b"hello\n")
    assert ask("/sleep", "seconds=0") == ("200 OK", b"slept\n")
    assert ask("/sleep", "seconds=x")[0] == "400 Bad Request"
    assert ask("/crash", "")[0] == "400 Bad Request"
    assert ask("/nothing")[0] == "404 Not Found"


@pytest.mark.parametrize(
    ("query", "seconds"),
    [("seconds=0.5", 0.5), ("seconds=60", 60.0), ("seconds=61", None), ("seconds=-1", None), ("", None),
     ("seconds=nan", None), ("seconds=inf", None)],
)  # fmt: skip
def test_a_sleep_is_bounded(query, seconds):
    assert sleep_of(query) == seconds
