"""The shape of the source, held by reading it: who may import whom, what is pure, how long a file may get."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import hybridd
from tests.support import pages

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "hybridd"
UNIT = ROOT / "tests" / "unit"

# Package → packages it may import.  A package may always import itself, ``errors`` and the version.
MAY_IMPORT = {
    "cli": {"compare", "master", "worker", "app", "http", "net", "ops", "config"},
    "compare": {"config"},  # it looks at running servers from outside, like any other client
    "master": {"worker", "http", "net", "ops", "config"},
    "worker": {"app", "http", "net", "ops", "config"},
    "app": {"http", "config"},
    "http": {"config"},
    "net": {"config"},
    "ops": {"config"},
    "config": set(),
    "errors": set(),
    "__main__": {"cli"},
    "__init__": set(),
}

# What the pure parts must not touch: the operating system, threads, the clock.  Time is an argument there.
EFFECTS = {
    "asyncio", "ctypes", "fcntl", "logging", "mmap", "multiprocessing", "os", "pathlib", "queue", "resource", "select",
    "selectors", "shutil", "signal", "socket", "socketserver", "ssl", "subprocess", "tempfile", "threading", "time",
}  # fmt: skip
PURE = (
    "hybridd/http/*.py",
    *(f"hybridd/master/{name}.py" for name in ("lifecycle", "replacing", "desired", "fold", "generations", "changes")),
    *(f"hybridd/master/{name}.py" for name in ("verdicts", "recycling", "crash_policy", "state", "events", "children")),
)

LONGEST_FILE = 320
VAGUE = {"utils", "util", "helpers", "helper", "common", "compat", "misc", "base", "core"}

# Where a wait by the clock is the subject and not a hope.
MAY_SLEEP = {
    "tests/support/waiting.py": "the one place where tests wait",
    "hybridd/compare/demonstration.py": "a handler that waits is what it demonstrates",
    "hybridd/worker/monitor.py": "to look at another thread every few milliseconds is its work",
}


def modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def own_test_files() -> list[Path]:
    return sorted(path for path in (ROOT / "tests").rglob("*.py") if "apps" not in path.parts)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def package_of(path: Path) -> str:
    """Return ``http`` for hybridd/http/body.py and ``errors`` for hybridd/errors.py."""
    parts = path.relative_to(SOURCE).parts
    return parts[0] if len(parts) > 1 else path.stem


@cache
def nodes_of(path: Path) -> list[ast.AST]:
    """Return every node of a file that may import, sleep or catch, in the order of ast.walk."""
    wanted = ast.Import | ast.ImportFrom | ast.Call | ast.ExceptHandler
    return [node for node in ast.walk(ast.parse(path.read_text(), filename=str(path))) if isinstance(node, wanted)]


def imports_of(path: Path) -> Iterator[tuple[str, int]]:
    """Yield every imported module with its line, wherever it stands: function level and TYPE_CHECKING too."""
    package = ["hybridd", *path.relative_to(SOURCE).parts[:-1]] if SOURCE in path.parents else []
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield module, node.lineno
            if module == "hybridd":  # `from hybridd import net` names packages, not attributes
                yield from ((f"hybridd.{alias.name}", node.lineno) for alias in node.names)


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_packages_import_only_what_stands_below_them(path):
    package = package_of(path)
    assert package in MAY_IMPORT, f"a new package: add {package} to the table"
    allowed = MAY_IMPORT[package] | {package, "errors", "__version__"}
    for module, line in imports_of(path):
        parts = module.split(".")
        if parts[0] == "hybridd" and len(parts) > 1:
            assert parts[1] in allowed, (
                f"{name_of(path)}:{line} imports {module}; {package} may import {sorted(allowed)}"
            )


@pytest.mark.parametrize("path", sorted(path for pattern in PURE for path in ROOT.glob(pattern)), ids=name_of)
def test_pure_modules_touch_no_system_and_no_clock(path):
    for module, line in imports_of(path):
        assert module.split(".")[0] not in EFFECTS, f"{name_of(path)}:{line} imports {module}"


def test_the_pure_parts_exist():
    for pattern in PURE:
        assert list(ROOT.glob(pattern)), f"{pattern} matches nothing: the purity test would hold for nothing"


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_a_file_has_one_subject(path):
    lines = len(path.read_text().splitlines())
    assert lines <= LONGEST_FILE, f"{name_of(path)} has {lines} lines"
    assert path.stem not in VAGUE, f"{name_of(path)}: the name says nothing"


@pytest.mark.parametrize("path", [*modules(), *own_test_files()], ids=name_of)
def test_a_module_begins_by_saying_what_it_is(path):
    if not path.read_text().strip():
        return  # an empty __init__.py
    if path.parts[-2] in ("integration", "systemd", "container") or path.is_relative_to(UNIT):
        return  # a test's name and folder say it; most have a sentence all the same
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring, f"{name_of(path)} has no docstring"
    assert len(docstring.split()) >= 3, f"{name_of(path)}: {docstring!r} says nothing"


def code_in(page):
    """Return (file, name) for every place that a page names: ``[`x.py`](../hybridd/x.py): `Class.method`, `name```."""
    text = " ".join(page.read_text().split())
    for path, names in re.findall(r"\]\(\.\./([\w/]+\.py)\):((?: `[\w.]+`,?)+)", text):
        yield from ((path, name) for name in re.findall(r"`([\w.]+)`", names))


def test_what_the_page_of_patterns_names_is_there():
    named = list(code_in(pages.ROOT / "docs" / "patterns.md"))
    assert len(named) > 20
    for path, name in named:
        body = ast.parse((pages.ROOT / path).read_text()).body
        for part in name.split("."):
            found = [
                node
                for node in body
                if getattr(node, "name", None) == part
                or (isinstance(node, ast.AnnAssign) and getattr(node.target, "id", None) == part)
            ]
            assert found, f"{path} has no {name}"
            body = getattr(found[0], "body", [])


@pytest.mark.parametrize("path", sorted(UNIT.rglob("test_*.py")), ids=name_of)
def test_unit_tests_mirror_the_source(path):
    """tests/unit/PKG/test_MODULE[_what].py tests hybridd/PKG/MODULE.py, or MODULE of PKG with PKG's name before it.

    tests/unit/benchmarks mirrors benchmarks, which stands beside hybridd.
    """
    parts = path.relative_to(UNIT).parts[:-1]
    folder = (ROOT if parts[:1] == ("benchmarks",) else SOURCE).joinpath(*parts)
    if path.parent == UNIT:
        subjects = {module.stem for module in SOURCE.glob("*.py")} | {"architecture"}
    else:
        subjects = {module.stem for module in folder.glob("*.py") if module.stem != "__init__"}
        subjects |= {f"{folder.name}_{stem}" for stem in subjects}
    name = path.stem.removeprefix("test_")
    assert any(name == subject or name.startswith(f"{subject}_") for subject in subjects), (
        f"{name_of(path)} tests no module of {name_of(folder)}"
    )


def test_the_image_says_the_version_of_the_package():
    assert f"\nARG VERSION={hybridd.__version__}\n" in (ROOT / "Dockerfile").read_text()


def sleeps_of(path: Path) -> Iterator[int]:
    """Yield the lines that call time.sleep, however it was imported."""
    nodes = nodes_of(path)
    own = {
        alias.asname or alias.name
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module == "time"
        for alias in node.names
        if alias.name == "sleep"
    }
    for node in nodes:
        if isinstance(node, ast.Call):
            called = node.func
            if ast.unparse(called) == "time.sleep" or (isinstance(called, ast.Name) and called.id in own):
                yield node.lineno


@pytest.mark.parametrize("path", [*modules(), *own_test_files()], ids=name_of)
def test_nobody_sleeps_and_hopes(path):
    if name_of(path) in MAY_SLEEP:
        return
    lines = list(sleeps_of(path))
    assert not lines, f"{name_of(path)} sleeps in lines {lines}; wait for an announced state with a deadline"


def test_exceptions_to_the_rule_on_sleeping_exist():
    for name in MAY_SLEEP:
        assert list(sleeps_of(ROOT / name)), f"{name} sleeps no more: remove it from the table"


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_no_error_is_swallowed_silently(path):
    """``except Exception: pass`` (and wider) hides what an operator has to know."""
    for node in nodes_of(path):
        if not isinstance(node, ast.ExceptHandler):
            continue
        wide = node.type is None or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException"))
        silent = all(isinstance(step, ast.Pass | ast.Continue) for step in node.body)
        assert not (wide and silent), (
            f"{name_of(path)}:{node.lineno} swallows {ast.unparse(node.type or ast.Name('all'))}"
        )
