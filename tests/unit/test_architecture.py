"""The shape of the source, held by reading it: who may import whom, what is pure, how long a file may get."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

import hybridd
from tests.support import pages

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "hybridd"
UNIT = ROOT / "tests" / "unit"

# Package → packages it may import.  A package may always import itself, ``errors`` and the version.
MAY_IMPORT = {
    "cli": {"compare", "top", "master", "worker", "app", "http", "net", "ops", "config"},
    "compare": {"config"},  # it looks at running servers from outside, like any other client
    "top": {"config"},  # so does this; whom to ask is handed to it
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

# Commands that do what a server does, or write about it.  The others look at a running one from outside, some of them
# every few seconds: without its parts they start twice as fast.
NEED_THE_SERVER = {"run", "check", "trial", "manual"}

# What the pure parts must not touch: the operating system, threads, the clock.  Time is an argument there.
EFFECTS = {
    "asyncio", "ctypes", "fcntl", "logging", "mmap", "multiprocessing", "os", "pathlib", "queue", "resource", "select",
    "selectors", "shutil", "signal", "socket", "socketserver", "ssl", "subprocess", "tempfile", "threading", "time",
}  # fmt: skip
PURE = (
    "hybridd/http/*.py",
    *(f"hybridd/top/{name}.py" for name in ("figures", "columns", "watch", "keys", "page")),
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


class Outline(NamedTuple):
    """What these tests ask of a file; its whole tree would be too much to keep for all of them."""

    docstring: str
    imports: list[ast.Import | ast.ImportFrom]
    handlers: list[ast.ExceptHandler]


@cache
def outline_of(path: Path) -> Outline:
    tree = ast.parse(path.read_text(), filename=str(path))
    outline = Outline(ast.get_docstring(tree) or "", [], [])
    waiting: list[ast.AST] = [tree]
    while waiting:  # statements at whatever depth; expressions hold none
        node = waiting.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            outline.imports.append(node)
        elif isinstance(node, ast.ExceptHandler):
            outline.handlers.append(node)
        for part in ("body", "handlers", "orelse", "finalbody", "cases"):
            waiting += getattr(node, part, ())
    return outline


def imports_of(path: Path) -> Iterator[tuple[str, int]]:
    """Yield every imported module with its line, wherever it stands: function level and TYPE_CHECKING too."""
    package = ["hybridd", *path.relative_to(SOURCE).parts[:-1]] if SOURCE in path.parents else []
    for node in outline_of(path).imports:
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        else:
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield module, node.lineno
            if module == "hybridd":  # `from hybridd import net` names packages, not attributes
                yield from ((f"hybridd.{alias.name}", node.lineno) for alias in node.names)


def none_of(problems: Iterable[str]) -> None:
    """Fail with all problems, each on a line of its own."""
    if found := "\n".join(problems):
        pytest.fail(found, pytrace=False)


def test_packages_import_only_what_stands_below_them():
    none_of(problem for path in modules() for problem in forbidden_imports(path))


def forbidden_imports(path: Path) -> Iterator[str]:
    package = package_of(path)
    if package not in MAY_IMPORT:
        yield f"a new package: add {package} to the table"
        return
    allowed = MAY_IMPORT[package] | {package, "errors", "__version__"}
    for module, line in imports_of(path):
        parts = module.split(".")
        if parts[0] == "hybridd" and len(parts) > 1 and parts[1] not in allowed:
            yield f"{name_of(path)}:{line} imports {module}; {package} may import {sorted(allowed)}"


def test_commands_that_only_ask_do_without_the_server():
    of_the_server = MAY_IMPORT["cli"] - {"compare", "top", "config"}
    none_of(
        f"{name_of(path)}:{line} imports {module}"
        for path in sorted((SOURCE / "cli").glob("*.py"))
        if path.stem not in NEED_THE_SERVER
        for module, line in imports_of(path)
        if module.startswith("hybridd.") and module.split(".")[1] in of_the_server
    )


def test_pure_modules_touch_no_system_and_no_clock():
    none_of(
        f"{name_of(path)}:{line} imports {module}"
        for pattern in PURE
        for path in sorted(ROOT.glob(pattern))
        for module, line in imports_of(path)
        if module.split(".")[0] in EFFECTS
    )


def test_the_pure_parts_exist():
    for pattern in PURE:
        assert list(ROOT.glob(pattern)), f"{pattern} matches nothing: the purity test would hold for nothing"


def test_a_file_has_one_subject():
    lines = {path: len(path.read_text().splitlines()) for path in modules()}
    none_of(f"{name_of(path)} has {count} lines" for path, count in lines.items() if count > LONGEST_FILE)
    none_of(f"{name_of(path)}: the name says nothing" for path in lines if path.stem in VAGUE)


def test_a_module_begins_by_saying_what_it_is():
    none_of(
        f"{name_of(path)} begins with {docstring!r}"
        for path in [*modules(), *own_test_files()]
        if not says_it_by_its_name(path) and path.read_text().strip()  # not an empty __init__.py
        if len((docstring := outline_of(path).docstring).split()) < 3
    )


def says_it_by_its_name(path: Path) -> bool:
    """Tell whether it is a test: its name and its folder say what it holds; most have a sentence all the same."""
    return path.parts[-2] in ("integration", "systemd", "container") or path.is_relative_to(UNIT)


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


def test_unit_tests_mirror_the_source():
    """tests/unit/PKG/test_MODULE[_what].py tests hybridd/PKG/MODULE.py, or MODULE of PKG with PKG's name before it.

    tests/unit/benchmarks mirrors benchmarks, which stands beside hybridd.
    """
    none_of(
        f"{name_of(path)} tests no module of {name_of(folder_tested_by(path))}"
        for path in sorted(UNIT.rglob("test_*.py"))
        if not any(
            path.stem == f"test_{subject}" or path.stem.startswith(f"test_{subject}_") for subject in subjects_of(path)
        )
    )


def folder_tested_by(path: Path) -> Path:
    parts = path.relative_to(UNIT).parts[:-1]
    return (ROOT if parts[:1] == ("benchmarks",) else SOURCE).joinpath(*parts)


def subjects_of(path: Path) -> set[str]:
    folder = folder_tested_by(path)
    if path.parent == UNIT:
        return {module.stem for module in folder.glob("*.py")} | {"architecture"}
    subjects = {module.stem for module in folder.glob("*.py") if module.stem != "__init__"}
    return subjects | {f"{folder.name}_{stem}" for stem in subjects}


def test_the_image_says_the_version_of_the_package():
    assert f"\nARG VERSION={hybridd.__version__}\n" in (ROOT / "Dockerfile").read_text()


def sleeps_of(path: Path) -> Iterator[int]:
    """Yield the lines that call time.sleep, however it was imported."""
    if "sleep" not in path.read_text():
        return
    nodes = list(ast.walk(ast.parse(path.read_text())))
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


def test_nobody_sleeps_and_hopes():
    none_of(
        f"{name_of(path)}:{line} sleeps; wait for an announced state with a deadline"
        for path in [*modules(), *own_test_files()]
        if name_of(path) not in MAY_SLEEP
        for line in sleeps_of(path)
    )


def test_exceptions_to_the_rule_on_sleeping_exist():
    for name in MAY_SLEEP:
        assert list(sleeps_of(ROOT / name)), f"{name} sleeps no more: remove it from the table"


def test_no_error_is_swallowed_silently():
    """``except Exception: pass`` (and wider) hides what an operator has to know."""
    none_of(
        f"{name_of(path)}:{handler.lineno} swallows {ast.unparse(handler.type or ast.Name('all'))}"
        for path in modules()
        for handler in outline_of(path).handlers
        if is_wide(handler) and is_silent(handler)
    )


def is_wide(handler: ast.ExceptHandler) -> bool:
    caught = handler.type
    return caught is None or (isinstance(caught, ast.Name) and caught.id in ("Exception", "BaseException"))


def is_silent(handler: ast.ExceptHandler) -> bool:
    return all(isinstance(step, ast.Pass | ast.Continue) for step in handler.body)
