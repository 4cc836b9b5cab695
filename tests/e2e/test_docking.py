"""One register all the way to another platform: what it holds is what was served, in its names, units and order.

libmodbus serves, the gateway is its own process, the platform a server of pattern C on a real socket.
"""

import asyncio
import time
from pathlib import Path

import pytest

from docking.shelf import map_path
from gateway.model.derivation import AssetEvent
from gateway.settings import load
from gateway.store.asset_store import AssetStore
from sitewarden.composition.box import DRIVERS, UPLINKS, Gateway
from sitewarden.composition.kinds import KINDS
from tests.e2e.test_register_to_receipt import served_values
from tests.fakes.docking_patterns import ApiKeyServer, C
from tests.fakes.field_site import crane_words, write_site
from tests.fakes.gateway_process import GatewayProcess
from tests.fakes.libmodbus_server import LibmodbusServer
from tests.fakes.mosquitto import Mosquitto, free_port
from tests.fakes.ready_python import READY
from tests.fakes.waiting import wait_until

NAMES = {
    "load_t": "Weight",
    "rated_t": "RatedWeight",
    "moment_pct": "Moment",
    "radius_m": "RRange",
    "hook_m": "DGHeight",
}


@pytest.mark.services
def test_what_the_platform_holds_is_what_was_served(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(C.secrets["api_key"])
    text = map_path(C.platform).read_text()
    (tmp_path / "own.yaml").write_text(text.replace("every_s: 10", "every_s: 1"))
    with LibmodbusServer(1, 40) as field, Mosquitto() as broker, ApiKeyServer(time.time_ns) as platform:
        field.set_registers(0, crane_words(served_values(1)))
        uplink = {
            "name": "town",
            "kind": "docking",
            "platform": str(tmp_path / "own.yaml"),
            "url": platform.url,
            "secrets": {"api_key": {"file": str(tmp_path / "key")}},
            "devices": {"crane-1": {"sn": "SN-1"}},
        }
        port = free_port()
        site = write_site(tmp_path, crane_port=field.port, broker_port=broker.port, web_port=port, uplinks=[uplink])
        with GatewayProcess(site, f"http://127.0.0.1:{port}", python=READY) as gateway:
            wait_until(lambda: gateway.metric("sitewarden_link_up") == 1, "the crane read")
            wait_until(lambda: len(platform.of(C.realtime)) >= 2, "two real-time records")
            before = len(platform.of(C.realtime))
            field.set_registers(0, crane_words(served_values(3)))  # 117.25 %: above the limit
            wait_until(lambda: platform.of(C.alarm), "the alarm")
            wait_until(lambda: len(platform.of(C.realtime)) >= before + 2, "records of the new values")
    first, last = platform.of(C.realtime)[0], platform.of(C.realtime)[-1]
    for record, step in ((first, 1), (last, 3)):
        served = served_values(step)
        assert {name: record[name] for name in NAMES.values()} == {
            theirs: round(served[ours], 2) for ours, theirs in NAMES.items()
        }
        assert (record["DeviceSN"], record["UnifiedProjectCode"]) == ("SN-1", "E2E-1")
    alarm = platform.of(C.alarm)[0]
    assert (alarm["DeviceSn"], alarm["Value"], alarm["Event"], alarm["Level"]) == ("SN-1", "117.25", 1, 1)
    assert (platform.disorder, platform.duplicates, platform.refusals) == (0, 0, [])


def kept_cycle(folder: Path) -> None:
    """A working cycle that the box kept before it was told of the platform."""
    store = AssetStore(folder)
    content = {"start_ns": 1_700_000_000_000_000_000, "end_ns": 1_700_000_120_000_000_000, "load_t": 2.5}
    store.note(content["end_ns"], [AssetEvent("crane-1", "crane_cycle", content["end_ns"], content)])
    store.flush().result()
    store.close()


async def test_a_running_box_passes_its_newest_cycle_on(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(C.secrets["api_key"])
    (tmp_path / "box").mkdir()
    kept_cycle(tmp_path / "box")
    with ApiKeyServer(time.time_ns) as platform:
        uplink = {"name": "town", "kind": "docking", "platform": C.platform, "url": platform.url}
        uplink |= {"secrets": {"api_key": {"file": str(tmp_path / "key")}}, "devices": {"crane-1": {"sn": "SN-1"}}}
        ports = {"crane_port": free_port(), "broker_port": free_port(), "web_port": free_port()}
        gateway = Gateway(load(write_site(tmp_path, uplinks=[uplink], **ports), DRIVERS, UPLINKS, KINDS))
        stop = asyncio.Event()
        running = asyncio.create_task(gateway.run(stop))
        while not platform.of(C.cycle) and not running.done():
            await asyncio.sleep(0.05)
        stop.set()
        await running
    (record,) = platform.of(C.cycle)
    assert (record["DeviceSN"], record["WorkWeight"], record["WorkEndTime"]) == ("SN-1", 2.5, "06:15:20")
    assert not {"OperaterNo", "Name", "IdNo"} & record.keys()
