"""Receivers away and back: InfluxDB and the regulator both lose nothing, hold nothing twice, and orders come down."""

import json
from pathlib import Path

import pytest

from contract.mailbox import Order
from gateway.store.alert_store import open_for_reading
from tests.fakes.field_site import CRANE_RULE, crane_words, write_site
from tests.fakes.gateway_process import GatewayProcess
from tests.fakes.influxdb import InfluxServer
from tests.fakes.libmodbus_server import LibmodbusServer
from tests.fakes.mosquitto import Mosquitto, free_port
from tests.fakes.regulator import FakeRegulator, Fault
from tests.fakes.waiting import wait_until

pytestmark = pytest.mark.alone

IDLE = dict.fromkeys(
    ("load_t", "rated_t", "moment_pct", "radius_m", "hook_m", "crane_h_m", "slew_deg", "wind_ms", "tilt_deg"), 1.0
) | {"multiple": 2.0, "motor": 1.0, "work_status": 0.0}
OVERLOADS = 3


def serve_overload(field: LibmodbusServer, number: int) -> None:
    """Over the limit and back, each for at least three polls."""
    for moment in (110.0 + number, 50.0):
        field.set_registers(0, crane_words(IDLE | {"moment_pct": moment}))
        before = field.requests()[3]
        wait_until(lambda before=before: field.requests()[3] >= before + 3, "three polls")


def test_both_receivers_away_and_back(tmp_path: Path) -> None:
    with (
        LibmodbusServer(1, 40) as field,
        Mosquitto() as broker,
        InfluxServer() as influx,
        FakeRegulator(tmp_path) as regulator,
    ):
        field.set_registers(0, crane_words(IDLE))
        (tmp_path / "code").write_text(regulator.code_for("e2e-box", "E2E-1"))
        web_port = free_port()
        uplinks = [
            {"name": "influx", "kind": "influx", "url": influx.url, "org": "o", "bucket": influx.bucket},
            {"name": "desk", "kind": "regulator", "url": regulator.url, "enrol_code": {"file": str(tmp_path / "code")}},
        ]
        site = write_site(tmp_path, crane_port=field.port, broker_port=broker.port, web_port=web_port, uplinks=uplinks)
        with GatewayProcess(site, f"http://127.0.0.1:{web_port}") as gateway:
            wait_until(lambda: influx.count("crane_rt", "moment_pct") > 5, "readings in InfluxDB")
            wait_until(regulator.store.boxes, "the box enrolled")
            influx.kill()
            regulator.stop()
            for number in range(OVERLOADS):
                serve_overload(field, number)
            wait_until(lambda: not gateway.metric("sitewarden_uplink_up"), "both uplinks seen down")
            influx.start()
            regulator.start()
            regulator.fail_next(Fault.LOST_REPLY, times=2)
            wait_until(lambda: gateway.metric("sitewarden_uplink_up") == 2, "both uplinks back", 60)
            wait_until(lambda: gateway.metric("sitewarden_messages_pending") == 0, "an empty outbox", 60)
            regulator.post("e2e-box", "order", order())
            wait_until(lambda: sealed_orders(tmp_path), "the order sealed into the chain")
            asked = field.requests()[3]
        held = [alert for alert in regulator.store.alerts() if alert["rule_id"] == CRANE_RULE]
        assert sorted(alert["transition"] for alert in held) == ["raised"] * OVERLOADS + ["returned"] * OVERLOADS
        assert len({alert["key"] for alert in held}) == len(held)
        chain = regulator.store.chain("e2e-box")
        assert chain.state == "ok", chain
        assert influx.count("crane_rt", "moment_pct") >= asked


def order() -> Order:
    return Order(
        order_id="order-1",
        number="No. 1",
        title_zh="停工令",
        title_en="Stop work",
        words="测试",
        legal_basis="none: a test",
        severity="P1",
        deadline_at_ns=1_900_000_000_000_000_000,
    )


def sealed_orders(folder: Path) -> list[dict[str, object]]:
    records = [json.loads(record.body) for record in open_for_reading(folder / "box").all_evidence()]
    return [record for record in records if record["kind"] == "regulator_message"]
