"""Load the configuration: defaults, those of the pattern, then YAML files, the environment, the command line.

Knows:     the order of the layers, and where each value came from.
Never:     the process's own environment or arguments (they are given), the machine, the clock.
Runs in:   the command line tool, and in the master again for each reload; reads the files it is given, nothing else.
Raises:    ConfigurationError with all problems at once, each a sentence that begins with its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hybridd.config.consistency import contradictions
from hybridd.config.declaration import Schema
from hybridd.config.files import SUFFIX, UnreadableError, files_of, read_text
from hybridd.config.layer import Layer, ReadSecret
from hybridd.config.patterns import DEFAULT, implied
from hybridd.config.problem import Origin, Source
from hybridd.config.settings import SCHEMA, Config
from hybridd.config.text_layers import Flag, environment_layer, flag_layer
from hybridd.errors import ConfigurationError

__all__ = ["Flag", "Loaded", "Origin", "Source", "Sources", "find", "load"]

Given = str | Sequence[str | Flag]


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything that a configuration is made from, so that it can be loaded again.

    ``files`` are as the operator wrote them, relative ones to ``directory``: the working directory may change.
    """

    files: tuple[Path, ...]
    environment: Mapping[str, str] = field(repr=False)
    flags: Mapping[str, Sequence[Flag]]
    directory: Path


@dataclass(frozen=True, slots=True)
class Loaded:
    """A valid configuration, the origin of each setting by key (``timeouts.head``), and what is odd but legal."""

    config: Config
    origins: Mapping[str, Origin]
    warnings: tuple[str, ...]
    sources: Sources

    def reload(self) -> Loaded:
        """Load again from the same sources; raises ConfigurationError and leaves this one as it is."""
        return _load(self.sources)


def load(
    files: Sequence[Path], environment: Mapping[str, str], flags: Mapping[str, Given], directory: Path | None = None
) -> Loaded:
    """Load and check everything.

    Args:
        files: YAML files, and directories whose ``*.yaml`` are read in the order of their names; later ones win.
        environment: all of it; ``HYBRIDD_…``, ``WEB_CONCURRENCY`` and what ``${…}`` names are looked at.
        flags: by key, a text or several; a :class:`Flag` also says how it was spelled.
        directory: what relative files begin at; by default the working directory.

    Raises:
        ConfigurationError: with every problem of every source.
    """
    return _load(_sources(files, environment, flags, directory))


def find(key: str, files: Sequence[Path], environment: Mapping[str, str], flags: Mapping[str, Given]) -> Any:
    """Return the value of one setting even if others are wrong.

    Raises:
        ConfigurationError: when the setting itself is wrong, or a file cannot be read.
    """
    merged = gather(SCHEMA, _sources(files, environment, flags, None))
    if problems := [str(problem) for problem in merged.problems if problem.about == key or problem.blinding]:
        raise ConfigurationError(problems)
    return merged.values.get(key, SCHEMA.settings[key].default)


def _sources(
    files: Sequence[Path], environment: Mapping[str, str], flags: Mapping[str, Given], directory: Path | None
) -> Sources:
    return Sources(
        tuple(Path(file) for file in files),
        dict(environment),
        {key: tuple(_flags(key, given)) for key, given in flags.items()},
        directory or Path.cwd(),
    )


def _flags(key: str, given: Given) -> Iterator[Flag]:
    for one in [given] if isinstance(given, str) else given:
        yield one if isinstance(one, Flag) else Flag(f"--set {key}", one)


def _load(sources: Sources) -> Loaded:
    merged = gather(SCHEMA, sources)
    _lay_pattern_under(merged)
    config = SCHEMA.build(merged.values)
    wrong = {problem.about for problem in merged.problems}
    for keys, text in contradictions(config):
        # With one of them wrong anyway the other is compared with a default that nobody chose.
        if wrong.isdisjoint(keys):
            given = [key for key in keys if key in merged.origins]
            others = ", ".join(f"{key} is from {merged.origins[key]}" for key in given[1:])
            merged.problem(merged.origins[given[0]], f"{text} ({others})" if others else text, given[0])
    if merged.problems:
        raise ConfigurationError(map(str, merged.problems))
    origins = {key: merged.origins.get(key, Origin()) for key in SCHEMA.settings}
    return Loaded(config, origins, tuple(merged.warnings), sources)


def _lay_pattern_under(merged: Layer) -> None:
    """Put the defaults that come with the pattern below everything that was said."""
    for key, value, wish in implied(merged.values.get("pattern", DEFAULT), merged.values.get("dispatch")):
        if key not in merged.values:
            merged.values[key] = value
            merged.origins[key] = Origin(Source.PATTERN, wish)


def gather(schema: Schema[Any], sources: Sources) -> Layer:
    """Return all layers as one: the last value of each setting, all problems."""
    merged = Layer()
    for layer in _layers(schema, sources):
        merged.values |= layer.values
        merged.origins |= layer.origins
        merged.problems += layer.problems
        merged.warnings += layer.warnings
    return merged


def _layers(schema: Schema[Any], sources: Sources) -> Iterator[Layer]:
    def read_secret(path: str) -> str:
        return read_text(sources.directory / path)

    for name in sources.files:
        if (sources.directory / name).is_dir():
            yield from _directory(schema, sources, name, read_secret)
        else:
            yield _file(schema, sources, name, read_secret)
    yield environment_layer(schema, sources.environment, read_secret)
    yield flag_layer(schema, sources.flags)


def _directory(schema: Schema[Any], sources: Sources, name: Path, read_secret: ReadSecret) -> Iterator[Layer]:
    layer = Layer()
    try:
        read, forgotten = files_of(sources.directory / name)
    except UnreadableError as error:
        layer.problem(Origin(Source.FILE, str(name)), str(error), blinding=True)
        read, forgotten = [], []
    layer.warnings += [f"{name / one}: is not read, its name does not end in {SUFFIX}" for one in forgotten]
    yield layer
    for one in read:
        yield _file(schema, sources, name / one, read_secret)


def _file(schema: Schema[Any], sources: Sources, name: Path, read_secret: ReadSecret) -> Layer:
    try:
        text = read_text(sources.directory / name)
    except UnreadableError as error:
        layer = Layer()
        layer.problem(Origin(Source.FILE, str(name), error.mark), str(error), blinding=True)
        return layer
    # PyYAML takes longer to import than all else here together; a start without a file does without it.
    from hybridd.config.document import parse  # noqa: PLC0415
    from hybridd.config.file_layer import FileLayer  # noqa: PLC0415

    return FileLayer(schema, str(name), sources.environment, read_secret).read(parse(text))
