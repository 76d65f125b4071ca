"""The effective configuration as text that can be loaded again."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hybridd.config.address import parse_address
from hybridd.config.declaration import Schema, setting
from hybridd.config.document import parse
from hybridd.config.expansion import expand
from hybridd.config.listener_words import parse_endpoint
from hybridd.config.loading import load
from hybridd.config.printing import json_text, plain_or_quoted, yaml_text
from hybridd.config.problem import Mark, Origin, Source
from hybridd.config.settings import SCHEMA, AccessLog, Config, Log, Timeouts, Tls
from hybridd.config.words import directory

ODD = Config(
    application="shop:create_app('a b', n=1)",
    chdir='/srv/${HOME}/"quoted" # no comment: yes',
    listen=tuple(map(parse_endpoint, ("[::]:80 tls", "unix:/a", "fd:3 tls key=/b certificate=/b", "systemd:x#y"))),
    tls=Tls(certificates=("/c",), minimum_version="1.3"),
    admin=None,
    workers=0,
    factory=True,
    timeouts=Timeouts(handler=90.5, head=0.25),
    log=Log(file="22:30"),
    access_log=AccessLog(file="off"),
)


@pytest.mark.parametrize("config", [Config(), ODD, replace(ODD, chdir="no", admin=parse_address("[::1]:0"))])
@pytest.mark.parametrize(
    "render", [yaml_text, lambda *arguments: json.dumps(json.loads(json_text(*arguments))["config"])]
)
def test_what_is_printed_loads_as_the_same_configuration(tmp_path, config, render):
    file = tmp_path / "printed.yaml"
    text = render(SCHEMA, config, {})
    # In JSON nothing escapes ${…}: it shows values and is not meant as a file.
    file.write_text(text if render is yaml_text else text.replace("${", "$${"))
    assert load([file], {}, {}).config == config


def test_every_setting_is_printed_with_its_origin():
    origins = {
        "workers": Origin(Source.FLAG, "-w"),
        "timeouts.head": Origin(Source.FILE, "a.yaml", Mark(3, 5)),
        "listen": Origin(Source.ENVIRONMENT, "HYBRIDD_LISTEN"),
    }
    lines = yaml_text(SCHEMA, Config(), origins).splitlines()
    assert "workers: auto                             # -w" in lines
    assert "  head: 15s                               # a.yaml:3:5" in lines
    assert "listen:                                   # HYBRIDD_LISTEN" in lines
    assert "  handler: off                            # default" in lines
    printed = yaml.safe_load("\n".join(lines))
    assert sum(len(part) if isinstance(part, dict) else 1 for part in printed.values()) == len(SCHEMA.settings)


def test_an_origin_cannot_break_out_of_its_comment():
    text = yaml_text(SCHEMA, Config(), {"workers": Origin(Source.FILE, "a\nthreads: 1 #", Mark(1, 1))})
    assert yaml.safe_load(text)["threads"] == 32


def test_json_has_values_and_origins():
    printed = json.loads(json_text(SCHEMA, Config(), {"workers": Origin(Source.FLAG, "-w")}))
    assert printed["config"]["workers"] == "auto"
    assert printed["config"]["threads"] == 32
    assert printed["config"]["factory"] is False
    assert printed["config"]["listen"] == ["0.0.0.0:8080"]
    assert printed["config"]["timeouts"]["handler"] == "off"
    assert printed["config"]["limits"]["body"] == "64MiB"
    assert printed["origins"] == {"workers": "-w"}


@dataclass(frozen=True, slots=True)
class Vault:
    """A vault."""

    password: str = setting("", directory(), "What opens it.", secret=True)


def test_a_secret_is_hidden():
    vault = Schema(Vault)
    assert yaml_text(vault, Vault("hunter2"), {}) == "# password: (hidden)                      # default\n"
    assert "hunter2" not in json_text(vault, Vault("hunter2"), {})


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40))
def test_any_text_is_written_as_a_value_that_is_read_again(text):
    document = parse(f"key: {plain_or_quoted(text)}  # comment\n")
    assert document.faults == ()
    assert expand(document.root.entries[0].value.raw.text, {}) == text
