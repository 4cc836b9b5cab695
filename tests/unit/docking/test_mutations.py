"""Whatever a person mistypes in a map, it loads or is refused with a line; nothing else is ever raised."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from docking.fault import MapError
from docking.loading import load_platform
from docking.shelf import map_path

HEAD, RECORDS = map_path("pattern-i-sorted-parameters").read_text().split("records:\n")
LINES = [*HEAD.splitlines(), "records:", *RECORDS[RECORDS.index("  alarm:") :].splitlines()]
PIECES = (
    "",
    ":",
    "- ",
    "{",
    "}",
    "[",
    '"',
    "null",
    "0",
    "-1",
    "true",
    "{x}",
    "*a",
    "&a ",
    "!!set ",
    "\t",
    "\x00",
    "名",
)


def faults_of(path: Path) -> tuple[int, ...]:
    """The lines of what is wrong; none when it loads."""
    try:
        assert load_platform(path).records
    except MapError as error:
        return tuple(fault.line for fault in error.faults) or (-1,)
    return ()


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("maps") / "typed.yaml"


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(number=st.integers(0, len(LINES) - 1), at=st.integers(0, 60), piece=st.sampled_from(PIECES), cut=st.booleans())
def test_a_mistyped_map_is_refused_or_loads(path, number, at, piece, cut):
    line = LINES[number]
    typed = line[:at] + piece + (line[at + 1 :] if cut else line[at:])
    path.write_text("\n".join([*LINES[:number], typed, *LINES[number + 1 :]]))
    assert all(0 <= each <= len(LINES) + 1 for each in faults_of(path))
