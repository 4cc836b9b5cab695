"""The walk of a crane that calls: the walk listens in the gateway's place."""

import asyncio
from pathlib import Path

import pytest
import yaml

from drivers.sim.frame_caller import CallOptions, FrameCaller
from gateway.line.arming import Arming
from gateway.settings import Settings, load
from kit.clock import SystemClock
from sitewarden.commissioning.findings import Commissioning
from sitewarden.commissioning.movement import Finding
from sitewarden.commissioning.operator import Nobody, Operator
from sitewarden.commissioning.walk import Pacing, Walk
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS
from tests.fakes.frames_box import BINARY, TEXT, shipped
from tests.fakes.mosquitto import free_port

TITLES = {"title_zh": "塔机", "title_en": "Crane"}
IDENTITY = {BINARY: "SIM-0004", TEXT: "SIM/4"}
MOVES = {"slew_right": ("slew_deg", 15.0), "slew_left": ("slew_deg", -12.0), "trolley_out": ("radius_m", 2.5),
    "trolley_in": ("radius_m", -2.0), "hoist_up": ("hook_m", 3.0), "hoist_down": ("hook_m", -2.0)}  # fmt: skip


class Hands:
    """Moves the twin as it is asked to, and hangs a load of 2 t on it that it shows as 2.04 t."""

    def __init__(self, twin: FrameCaller) -> None:
        self._twin = twin
        self._state = {"load_t": 0.0, "rated_t": 4.0, "moment_pct": 0.0, "radius_m": 20.0, "hook_m": 15.0,
            "slew_deg": 200.0, "wind_ms": 3.0, "tilt_deg": 0.1, "multiple": 2, "crane_h_m": 40.0}  # fmt: skip
        twin.show(self._state)

    def answer(self, key: str, question: str) -> str:
        name = key.rsplit(".", 1)[-1]
        if name in MOVES:
            moved, by = MOVES[name]
            self._state[moved] += by
        elif name == "known_load_t":
            self._state |= {"load_t": 2.04, "moment_pct": 51.0}
        else:
            return "skip"
        self._twin.show(self._state)
        return "2" if name == "known_load_t" else ""


def site(folder: Path, port: int, model: str) -> Settings:
    path = folder / "site.yaml"
    about = {"id": "host-1", "link": "hosts", "asset": "crane-1", "table": model, "identity": IDENTITY[model]}
    text = {
        "version": 1,
        "box": {"id": "box-1"},
        "site": {"project_code": "P-1", **TITLES},
        "storage": {"folder": str(folder / "data")},
        "rule_packs": ["national"],
        "assets": [{"id": "crane-1", "kind": "tower-crane", "serial": "1", **TITLES}],
        "links": [{"id": "hosts", "driver": "tcp-frames", "port": port, "max_frames_per_s": 1000}],
        "devices": [about],
        "uplinks": [],
    }
    path.write_text(yaml.safe_dump(text, allow_unicode=True), encoding="utf-8")
    return load(path, DRIVERS, UPLINKS, KINDS)


async def walked(settings: Settings, operator: Operator, listen_s: float = 10.0) -> Commissioning:
    return await Walk(settings, Arming({}, {}), operator, SystemClock(), Pacing(3, 0.001, listen_s), print).run()


@pytest.mark.parametrize(
    ("model", "place", "words"),
    [(BINARY, "byte 25 uint16 ABCD", "07 D0"), (TEXT, "field 13", "20")],
)
async def test_a_crane_that_calls_is_moved_loaded_and_armed(tmp_path: Path, model: str, place: str, words: str) -> None:
    port = free_port()
    twin = FrameCaller("crane-1", shipped(model), CallOptions(port, model, IDENTITY[model], 0.02), SystemClock())
    calling = asyncio.create_task(twin.run())
    try:
        found = await walked(site(tmp_path, port, model), Operator(Hands(twin)))
    finally:
        calling.cancel()
        await asyncio.gather(calling, return_exceptions=True)
    (device,), (moved,) = found.devices, found.cranes
    assert [check.finding for check in moved.movements] == [Finding.RIGHT] * 6
    assert moved.load is not None
    assert (moved.load.load_error_pct, moved.armed) == (pytest.approx(2.0), True)
    assert (device.address, device.sound) == (f"identity {IDENTITY[model]}", True)
    radius = next(point for point in device.points if point.key == "radius_m")
    assert (radius.place, radius.words, radius.value, radius.quality) == (place, words, "20", "GOOD")


async def test_a_crane_that_does_not_call_is_not_sound(tmp_path: Path) -> None:
    found = await walked(site(tmp_path, free_port(), BINARY), Operator(Nobody()), listen_s=0.2)
    assert found.devices[0].refused == ("no message within 0.2 s",)
    assert not found.devices[0].sound
