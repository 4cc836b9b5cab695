"""A site with a thousand things that can go wrong one by one: two cranes, a pit, and ten cabinets of a hundred points.

    with LoadedBox(folder) as box:
        box.switch([0, 1, 2], on=True)      # three alarms, with the next poll

In: which of the thousand are beyond their limit. Out: what a real gateway makes of it, over real Modbus.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from tests.fakes.libmodbus_server import LibmodbusServer
from tests.fakes.screen_box import ScreenBox

CABINETS = 10
POINTS = 100
SWITCHES = CABINETS * POINTS
POLL_MS = 50
RULE = "bench.p"
_TITLES = {"title_zh": "开关", "title_en": "Switch"}
_SOURCED = {"limit_source": "product_default", "clause": "benchmark", "certainty": "PD"}


class LoadedBox(ScreenBox):
    """A box before cranes, a pit and the cabinets. `switch` decides which alarms there are."""

    def __init__(self, folder: Path) -> None:
        self._cabinets = LibmodbusServer(CABINETS, POINTS)
        super().__init__(folder, packs=("screen", "bench"))
        _write(folder / "devices" / "bench-switches.yaml", _table())
        _write(folder / "rules" / "bench.yaml", _pack())
        site = yaml.safe_load(self.site_file.read_text(encoding="utf-8"))
        for i, port in enumerate(self._cabinets.ports):
            _add_cabinet(site, i, port)
        _write(self.site_file, site)

    def switch(self, numbers: Iterable[int], *, on: bool) -> None:
        """These of the thousand are beyond their limit, or not any more, from the next poll on."""
        for number in numbers:
            cabinet, point = divmod(number, POINTS)
            self._cabinets.set_registers(point, [int(on)], port_index=cabinet)

    def close(self) -> None:
        """End the gateway and every device."""
        super().close()
        self._cabinets.close()


def _add_cabinet(site: dict[str, Any], i: int, port: int) -> None:
    titles = {"title_zh": f"{i + 1}号柜", "title_en": f"Cabinet {i + 1}"}
    link = {"id": f"cabinet-{i}-tcp", "driver": "modbus-tcp", "host": "127.0.0.1", "port": port}
    device = {"link": link["id"], "asset": f"cabinet-{i}", "table": "bench-switches", "unit_id": 1, "poll_ms": POLL_MS}
    site["assets"].append({"id": f"cabinet-{i}", "kind": "other", "serial": f"CAB-{i}", **titles})
    site["links"].append(link)
    site["devices"].append({"id": f"cabinet-{i}-host", **device})


def _table() -> dict[str, Any]:
    points = [{"key": f"p{i}", "function": 3, "address": i, "type": "uint16", **_TITLES} for i in range(POINTS)]
    described = {"title_zh": "柜", "title_en": "Cabinet", "source": "benchmark", "certainty": "PD"}
    return {"version": 1, "model": "bench-switches", "driver": "modbus-tcp", **described, "points": points}


def _pack() -> dict[str, Any]:
    at_once = {"on_delay_s": 0, "off_delay_s": 0, "deadband": 0, "severity": "P2", "reportable": False}
    limit = {"family": "threshold", "kind": "other", "high": 0.5, **at_once, **_SOURCED}
    rules = [
        {"id": f"{RULE}{i}", "key": f"p{i}", **limit, "title_zh": f"开关{i}", "title_en": f"Switch {i}"}
        for i in range(POINTS)
    ]
    return {"version": 1, "pack": "bench", "title_zh": "基准", "title_en": "Bench", "rules": rules}


def _write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
