"""The manual pages hybridd(8) and hybridd.yaml(5): ``python -m hybridd.cli.manual FOLDER`` writes them.

Everything in them comes from what the code goes by: the parsers of the commands, the declarations of the settings, the
tables of signals and exit codes.  So they cannot say anything else than the command does.

Knows:     those tables; troff's man macros, man(7).
Never:     where the pages are kept (man/, held by a test).
Runs in:   development and tests; pure but for ``main``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from hybridd import __version__, errors
from hybridd.cli.commands import Command, Option, commands
from hybridd.config import reference
from hybridd.config.declaration import Setting
from hybridd.config.settings import SCHEMA
from hybridd.master.signals import SIGNALS

WHOLE: Final = ("run", "check", "print-config")
"""Commands that have an option for each of the usual settings; they are told once."""

ENVIRONMENT: Final = (
    ("HYBRIDD_SECTION__KEY", "A setting; `hybridd.yaml`(5) names the variable of each. A blank one says nothing."),
    ("WEB_CONCURRENCY", "The number of workers, when `HYBRIDD_WORKERS` is not set."),
    (
        "NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID",
        "Set by systemd for `Type=notify` and `WatchdogSec=`.",
    ),
    ("LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES", "Sockets that systemd passes, by name, for `listen: systemd:NAME`."),
    ("RUNTIME_DIRECTORY", "Where the control socket is made with `control: auto`; systemd's `RuntimeDirectory=`."),
    ("JOURNAL_STREAM", "Set by systemd: the log goes to the journal, with priorities and without times of its own."),
)

FILES: Final = (
    ("/etc/hybridd/hybridd.yaml", "The configuration of the service; no file is read unless `-c` names it."),
    ("/etc/hybridd/NAME.yaml", "The configuration of the instance `hybridd@NAME.service`."),
    (
        "/run/hybridd/hybridd.ctl",
        "The control socket under systemd; of an instance in `/run/hybridd-NAME`.",
    ),
    ("/var/log/hybridd", "Log files, where the configuration names such; under systemd the journal has the logs."),
    ("/var/lib/hybridd", "The directory that the service is started in, and may write to."),
)


EXAMPLE: Final = ('listen: ["0.0.0.0:8080"]', "application: shop.wsgi:application", "timeouts:", "  graceful: 45s")


def pages() -> dict[str, str]:
    """Return the pages by the names of their files."""
    return {"hybridd.8": _page(_command_page()), "hybridd.yaml.5": _page(_settings_page())}


def _page(lines: Iterable[str]) -> str:
    kept = ['.\\" Made by make docs from the source.  Do not change it here.']
    for line in lines:
        if line != ".PP" or not kept[-1].startswith((".SH ", ".SS ")):  # a heading begins a paragraph itself
            kept.append(line)
    return "\n".join([*kept, ""])


# -- hybridd(8)


def _command_page() -> Iterator[str]:
    known = commands()
    yield _title("HYBRIDD", 8)
    yield from _section("NAME", [r"hybridd \- a prefork hybrid server for WSGI applications and raw TCP protocols"])
    yield from _section("SYNOPSIS")
    for number, command in enumerate(known):
        yield from [".br"] if number else []
        yield from _synopsis(command)
    yield from _section("DESCRIPTION")
    yield from _paragraphs(
        "hybridd serves a WSGI application, or a raw TCP protocol. A master binds the listening sockets, forks workers"
        " that inherit them, and supervises. Each worker multiplexes its connections in an event loop and runs handlers"
        " there until one blocks; then another thread takes the loop over.\n\n"
        "The settings come from files, from the environment and from the command line, see `hybridd.yaml`(5). The verbs"
        " talk to a running hybridd by its control socket, wait for the verdict, and end with a status other than 0"
        " when it did not come true."
    )
    yield from _section("COMMANDS")
    for command in known:
        yield f".SS {_text(command.name)}"
        yield from _paragraphs(command.description)
        if command.name in WHOLE[1:]:
            yield from _paragraphs("Takes all options of run; and:")
        yield from _options([one for one in command.options if _is_own(command, one)])
    yield from _section("OPTIONS OF EVERY COMMAND")
    yield from _options([option for option in known[0].options if option.shared])
    yield from _section("SIGNALS", ["To the master:"])
    yield from _terms((one.name, one.help) for one in SIGNALS)
    yield from _section("EXIT STATUS")
    yield from _terms((f"{code:d}", _meaning(code)) for code in errors.MEANINGS)
    yield from _paragraphs("The verbs end with 0 when what was asked came true, and with 1 when it did not.")
    yield from _section("ENVIRONMENT")
    yield from _terms(ENVIRONMENT)
    yield from _section("FILES")
    yield from _terms(FILES)
    also = _references("hybridd.yaml(5)", "systemctl(1)", "systemd.service(5)", "logrotate(8)")
    yield from _section("SEE ALSO", [also])


def _synopsis(command: Command) -> Iterator[str]:
    usage = command.usage.removeprefix("hybridd ")
    words, _, rest = usage.partition(" [")
    yield f".B hybridd {_text(words)}"
    yield f"{_text(f'[{rest}' if rest else '')}"


def _is_own(command: Command, option: Option) -> bool:
    """Whether a command is where an option is told."""
    of_settings = {flag for one in SCHEMA.settings.values() for flag in one.declaration.flags}
    return not option.shared and (command.name not in WHOLE[1:] or option.spellings[0] not in of_settings)


def _options(options: Iterable[Option]) -> Iterator[str]:
    for option in options:
        yield ".TP"
        spellings = ", ".join(rf"\fB{_text(spelling)}\fR" for spelling in option.spellings)
        yield spellings + (rf" \fI{_text(option.value)}\fR" if option.value else "")
        yield _sentence(option.help)


def _meaning(code: errors.ExitCode) -> str:
    meaning, advice = errors.MEANINGS[code]
    return f"{_sentence_case(meaning)}." + (f" A supervisor should {advice}." if advice else "")


# -- hybridd.yaml(5)


def _settings_page() -> Iterator[str]:
    yield _title("HYBRIDD.YAML", 5)
    yield from _section("NAME", [r"hybridd.yaml \- settings of hybridd, in a file, the environment, the command line"])
    yield from _section("DESCRIPTION")
    yield from _paragraphs(reference.ABOUT)
    yield from _section("EXAMPLE", [".EX", *EXAMPLE, ".EE"])
    for section in SCHEMA.sections:
        yield from _section(f"SECTION {section.key}" if section.key else "TOP LEVEL")
        yield from _paragraphs(section.help)
        for setting in section.settings:
            yield from _setting(setting)
    yield from _section("SEE ALSO", [_references("hybridd(8)")])


def _setting(setting: Setting) -> Iterator[str]:
    declaration = setting.declaration
    yield ".TP"
    yield rf"\fB{_text(setting.key)}\fR"
    yield _inline(declaration.help)
    facts = [f"Default: `{setting.shown(setting.default)}`", f"Expected: {reference.expected(setting)}"]
    facts.append(f"Variable: `{setting.variable}`")
    if declaration.flags:
        facts.append(f"Options: {', '.join(f'`{flag}`' for flag in declaration.flags)}")
    if declaration.restart:
        facts.append(f"A change needs a restart, because {declaration.restart}")
    if declaration.secret:
        facts.append(f"Secret: `{setting.name}_file` and `{setting.variable}_FILE` name a file that holds it")
    for fact in facts:
        yield ".br"
        yield _inline(f"{fact}.")


# -- troff


def _title(name: str, section: int) -> str:
    """Return the head of a page; its lines end where words do (.ad l): long ones would tear holes into others."""
    return f'.TH "{name}" "{section}" "" "hybridd {__version__}" "hybridd"\n.ad l'


def _section(title: str, lines: Iterable[str] = ()) -> list[str]:
    return [f'.SH "{_text(title)}"', *lines]


def _terms(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    for term, text in pairs:
        yield from [".TP", rf"\fB{_text(term)}\fR", _inline(text)]


def _paragraphs(markdown: str) -> Iterator[str]:
    """Return paragraphs and lists of numbered points of a Markdown text."""
    for paragraph in markdown.strip().split("\n\n"):
        points = re.split(r"(?m)^(\d+)\. ", paragraph)
        yield from [".PP", _inline(points[0])] if points[0].strip() else []
        for number, text in zip(points[1::2], points[2::2], strict=True):
            yield from [f".IP {number}. 3", _inline(text)]


def _inline(markdown: str) -> str:
    """Return one line: `code` and **words** in bold."""
    parts = re.split(r"`([^`]+)`|\*\*([^*]+)\*\*|\*([^*]+)\*", " ".join(markdown.split()))
    line = "".join(
        "" if part is None else _text(part) if index % 4 == 0 else rf"\f{'BBI'[index % 4 - 1]}{_text(part)}\fR"
        for index, part in enumerate(parts)
    )
    return line if line[:1] not in (".", "'") else rf"\&{line}"


def _text(text: str) -> str:
    """Return text that troff shows as it is; a hyphen is what is typed, and a list without blanks may go on below."""
    for plain, escape in {"\\": r"\e", "-": r"\-", "…": r"\&...", "^": r"\(ha", "~": r"\(ti"}.items():
        text = text.replace(plain, escape)
    return re.sub(r"\S{60,}", lambda found: found[0].replace(":", r":\:"), text)


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]


def _sentence(text: str) -> str:
    return _inline(f"{_sentence_case(text).rstrip('.')}.")


def _references(*names: str) -> str:
    return ",\n".join(re.sub(r"(.*)\((\d)\)", r"\\fB\1\\fR(\2)", name) for name in names)


def main(folder: Path) -> None:
    """Write the pages into a folder."""
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
