"""docs/adding-a-crane.md is run: what it shows is what its commands print, and its table is the tested one."""

import asyncio
from pathlib import Path

import yaml

from drivers.frames.driver import KIND
from drivers.sim.faults import Faults
from drivers.sim.modbus_server import ModbusTwinServer
from kit.clock import SystemClock
from tests.fakes.document import executed, files_of
from tests.fakes.gateway_process import ROOT

DOCUMENT = ROOT / "docs" / "adding-a-crane.md"
CASES = ROOT / "tests" / "cases" / "devices"


async def test_the_page_shows_what_its_commands_print(tmp_path: Path) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    golden = yaml.safe_load((CASES / "qy-300.golden.yaml").read_text(encoding="utf-8"))
    server = ModbusTwinServer(0, golden["words"][3][0], Faults(), SystemClock())
    await server.start()
    try:
        swap = {
            "--host 192.168.1.50 --port 502": f"--host 127.0.0.1 --port {server.port}",
            "host: 192.168.1.50, port: 502": f"host: 127.0.0.1, port: {server.port}",
            "192.168.1.50:502": f"127.0.0.1:{server.port}",
        }
        assert await asyncio.to_thread(executed, text, tmp_path, swap) == text
    finally:
        await server.stop()
    assert not (tmp_path / "my-site" / "data" / "commissioning").exists()


def test_the_pages_files_are_the_tested_ones() -> None:
    files = files_of(DOCUMENT.read_text(encoding="utf-8"))
    turned = files["my-site/devices/qy-300.yaml"].replace("order: ABCD", "order: CDAB")
    assert (CASES / "qy-300.yaml").read_text(encoding="utf-8") == turned
    assert (CASES / "qy-500.yaml").read_text(encoding="utf-8") == files["my-site/devices/qy-500.yaml"]
    for name in ("qy-300", "qy-500"):
        golden = (CASES / f"{name}.golden.yaml").read_text(encoding="utf-8")
        assert golden == files[f"tests/cases/devices/{name}.golden.yaml"]


def test_the_pages_entries_of_a_site_file_are_accepted() -> None:
    pushed = yaml.safe_load(files_of(DOCUMENT.read_text(encoding="utf-8"))["pushed.yaml"])
    assert [KIND.link_settings.model_validate(link).port for link in pushed["links"]] == [7001]
    assert [KIND.device_settings.model_validate(device).table for device in pushed["devices"]] == ["qy-500"]
