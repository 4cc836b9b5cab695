"""Every site file in tests/cases/config against the faults that it announces itself.

A comment `#! key code; key code` announces faults on its own line; a header line `#+ FILE` names another file whose
announcements belong to the case. A file without any announcement must load.
"""

import re
from pathlib import Path

import pytest

from gateway.model.errors import ConfigError
from gateway.settings import fault_text
from tests.unit.gateway.settings.kinds import CASES, ROOT, load_case

Announced = set[tuple[str, int, str, str]]
NAMES = sorted(path.stem for path in CASES.glob("*.yaml"))
_ANNOUNCEMENT = re.compile(r"#! (.*)$")


def announced(path: Path) -> Announced:
    text = path.read_text(encoding="utf-8")
    faults: Announced = set()
    for number, line in enumerate(text.splitlines(), start=1):
        match = _ANNOUNCEMENT.search(line)
        for each in match.group(1).split("; ") if match else []:
            key, code = each.rsplit(" ", 1)
            faults.add((str(path), number, key, code))
    for other in re.findall(r"^#\+ (.*)$", text, re.MULTILINE):
        faults |= announced(path.parent / other)
    return faults


def found_in(name: str) -> list[tuple[str, int, str, str]]:
    try:
        load_case(name)
    except ConfigError as error:
        return [(str(ROOT / fault.file), fault.line, fault.key, fault.code) for fault in error.faults]
    return []


@pytest.fixture(autouse=True)
def _in_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("name", NAMES)
def test_exactly_the_announced_faults_are_told(name: str) -> None:
    told = found_in(name)
    assert sorted(told) == sorted(announced(CASES / f"{name}.yaml"))


def test_the_cases_are_many_and_mostly_broken() -> None:
    broken = [name for name in NAMES if announced(CASES / f"{name}.yaml")]
    assert len(broken) >= 40
    assert sorted(set(NAMES) - set(broken)) == sorted(name for name in NAMES if name.startswith("good-"))


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("good-")])
def test_every_fault_is_said_in_both_languages(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_case(name)
    for fault in caught.value.faults:
        assert fault_text(fault).startswith(f"{fault.file}:{fault.line}: {fault.key}: found ")
        assert re.search("[\u4e00-\u9fff]", fault_text(fault, "zh"))
        assert "@" not in fault.found[:1]
        assert "hunter2" not in fault_text(fault) + fault_text(fault, "zh") + repr(fault)
