"""Drivers of other packages: a tiny one is built here and read; broken ones are told, all at once."""

import subprocess
import sys
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest

from drivers.mqtt.driver import KIND as MQTT
from gateway.model.errors import ConfigError
from sitewarden.composition.driver_packages import GROUP, DriverShelf
from tests.fakes.gateway_process import ROOT

MODULE = """
from drivers.schema import DeviceSettings, DeviceTable, LinkSettings, TablePoint
from gateway.ports import DriverKind

class Link(LinkSettings):
    mast: str

class Table(DeviceTable):
    points: tuple[TablePoint, ...]

def build(bound, clock):
    raise NotImplementedError

KIND = DriverKind("acme", Link, DeviceSettings, Table, build)
RENAMED = DriverKind("mqtt", Link, DeviceSettings, Table, build)
NOTHING = 42
"""


def package(folder: Path, name: str, entry: str) -> PathDistribution:
    """A package as pip would have left it in a folder on the path."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{entry}\n")
    (folder / f"{name.replace('-', '_')}.py").write_text(MODULE)
    return PathDistribution(info)


def entries(*packages: PathDistribution):
    return lambda: [entry for one in packages for entry in one.entry_points if entry.group == GROUP]


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_a_driver_of_another_package_joins_ours(on_path: Path) -> None:
    shelf = DriverShelf((MQTT,), entries(package(on_path, "acme-one", "acme = acme_one:KIND")))
    assert sorted(shelf) == ["acme", "mqtt"]
    assert shelf["acme"].link_settings.__name__ == "Link"


def test_the_installed_package_is_found_by_the_command_line(tmp_path: Path) -> None:
    package(tmp_path, "acme-cli", "acme = acme_cli:KIND")
    path = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); "
    code = path + "from sitewarden.__main__ import main; sys.exit(main(['schema']))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert '"mast"' in done.stdout


def test_every_broken_package_is_named_at_once(on_path: Path) -> None:
    broken = [
        package(on_path, "acme-gone", "gone = acme_nowhere:KIND"),
        package(on_path, "acme-typo", "typo = acme_typo:KNID"),
        package(on_path, "acme-wrong", "wrong = acme_wrong:NOTHING"),
        package(on_path, "acme-clash", "mqtt = acme_clash:RENAMED"),
        package(on_path, "acme-other", "other = acme_other:KIND"),
    ]
    with pytest.raises(ConfigError) as caught:
        len(DriverShelf((MQTT,), entries(*broken)))
    found = {fault.file: f"{fault.key} {fault.found}" for fault in caught.value.faults}
    assert "No module named 'acme_nowhere'" in found["package acme-gone 1.0"]
    assert "KNID" in found["package acme-typo 1.0"]
    assert found["package acme-wrong 1.0"] == f"{GROUP}:wrong a int at acme_wrong:NOTHING"
    assert "taken by sitewarden itself" in found["package acme-clash 1.0"]
    assert found["package acme-other 1.0"] == f"{GROUP}:other a driver called acme"


def test_two_packages_with_one_name_are_refused(on_path: Path) -> None:
    twice = [package(on_path, name, f"acme = {name.replace('-', '_')}:KIND") for name in ("acme-a", "acme-b")]
    with pytest.raises(ConfigError, match="taken by package acme-a"):
        DriverShelf((), entries(*twice))["acme"]


def test_packages_are_not_looked_for_before_the_first_question() -> None:
    asked: list[str] = []

    def announced() -> list[object]:
        asked.append("asked")
        return []

    shelf = DriverShelf((MQTT,), announced)
    assert asked == []
    assert "mqtt" in shelf
    assert list(shelf) == ["mqtt"]
    assert asked == ["asked"]
