"""Whatever happens to a site file, it loads or is refused with faults: no other exception, no fault without a place."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.model.errors import ConfigError, Fault
from gateway.settings.document import display_name
from tests.unit.gateway.settings.kinds import CONFIG, load_site

DEMO = (CONFIG / "sites" / "demo.yaml").read_text(encoding="utf-8")
LINES = DEMO.splitlines()
ODD_TEXT = st.sampled_from(
    [
        "",
        "~",
        "yes",
        "1e309",
        "-1",
        "0x",
        ".nan",
        "[",
        "]",
        "{}",
        "- ",
        "&a",
        "*a",
        "!!set",
        "<<: *a",
        "\t",
        "：",
        "'",
        '"',
        "|",
        "\x00",
        "#",
        "é",
    ]
) | st.text(max_size=6)
ODD_VALUE: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def faults_of(path: Path) -> list[Fault] | None:
    """None when the file loads."""
    try:
        load_site(path)
    except ConfigError as error:
        return error.faults
    return None


def loads_or_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    faults = faults_of(path)
    assert faults is None or faults
    last = len(content.decode("utf-8", "replace").splitlines()) + 1
    for fault in faults or []:
        assert fault.key
        assert fault.found
        assert fault.expected
        assert fault.file != display_name(path) or 0 <= fault.line <= last


def paths_in(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    entries = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in entries:
        yield (*path, key)
        yield from paths_in(value, (*path, key))


PATHS = list(paths_in(yaml.safe_load(DEMO)))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, len(DEMO) - 1), st.integers(0, 12), ODD_TEXT), min_size=1, max_size=3))
def test_text_cut_and_pasted_anywhere(folder: Path, edits: list[tuple[int, int, str]]) -> None:
    text = DEMO
    for at, length, new in edits:
        text = text[:at] + new + text[at + length :]
    loads_or_is_refused(folder / "site.yaml", text.encode("utf-8", "surrogatepass"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(PATHS), ODD_VALUE), min_size=1, max_size=4))
def test_any_value_replaced_by_any_other(folder: Path, edits: list[tuple[tuple[Any, ...], Any]]) -> None:
    data = yaml.safe_load(DEMO)
    for path, value in edits:
        part = data
        for step in path[:-1]:
            inside = isinstance(part, dict) and step in part
            within = isinstance(part, list) and isinstance(step, int) and step < len(part)
            part = part[step] if inside or within else {}
        if isinstance(part, dict) or (isinstance(part, list) and isinstance(path[-1], int) and path[-1] < len(part)):
            part[path[-1]] = value
    loads_or_is_refused(folder / "site.yaml", json.dumps(data).encode())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_lines_lost_repeated_and_moved(folder: Path, data: st.DataObject) -> None:
    lines = list(LINES)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        line = lines.pop(at)
        for _ in range(data.draw(st.integers(0, 2))):
            lines.insert(data.draw(st.integers(0, len(lines))), line)
    loads_or_is_refused(folder / "site.yaml", "\n".join(lines).encode())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_any_bytes_at_all(folder: Path, content: bytes) -> None:
    loads_or_is_refused(folder / "site.yaml", content)
