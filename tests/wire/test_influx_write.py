"""The InfluxDB uplink against a real InfluxDB 1.6, by the v2 path (through nginx) and by the v1 path (direct)."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest

from gateway.model.alert import OutboxItem, ReceiptKind
from gateway.ports import UplinkContext
from gateway.uplinks.influx import KIND
from tests.fakes.blocks import NOW_NS, block, context
from tests.fakes.influxdb import InfluxServer

NAN = float("nan")
ODD_DOUBLES = [
    0.1,
    -0.1,
    1 / 3,
    5e-324,
    sys.float_info.min,
    sys.float_info.max,
    -sys.float_info.max,
    sys.float_info.epsilon,
    float(2**53),
    -(2.0**53) + 1,
    1e16,
    1e22,
    1e-7,
    123456789.123456789,
    float(np.float32(0.1)),
    float(np.float32(655.35)),
    math.pi,
    -273.15,
    0.0,
]


@pytest.fixture(scope="module")
def server():
    with InfluxServer() as running:
        yield running


@pytest.fixture
def influx(server):
    server.query(f'DROP DATABASE "{server.bucket}"')
    server.query(f'CREATE DATABASE "{server.bucket}"')
    return server


def settings(server, api="v2", **more):
    where = (
        {"url": server.url, "org": "site", "bucket": server.bucket}
        if api == "v2"
        else {"url": server.v1_url, "database": server.bucket}
    )
    return KIND.settings.model_validate({"name": "influx", "kind": "influx", "api": api} | where | more)


async def send(server, blocks, folder: Path, api="v2", ctx: UplinkContext | None = None, **more):
    uplink = KIND.build(settings(server, api, **more), ctx or context(folder))
    try:
        return await uplink.send_readings(blocks)
    finally:
        await uplink.close()


@pytest.mark.parametrize("api", ["v2", "v1"])
@pytest.mark.parametrize("gzip", [True, False])
async def test_every_double_and_time_reads_back_exactly(influx, tmp_path, api, gzip):
    rows = [[value, -value] for value in ODD_DOUBLES]
    times = [NOW_NS + 7 * i + 1 for i in range(len(rows))]
    sent = block(["crane-1.load_t", "crane-1.tilt_x"], rows, times_ns=times)
    receipt = await send(influx, [sent], tmp_path, api, gzip=gzip)
    assert receipt.kind is ReceiptKind.ACCEPTED
    got = influx.query("SELECT load_t, tilt_x, q FROM crane_rt WHERE crane_sn='SIM-TC-1' AND project='DEMO-0001'")
    assert [row["time"] for row in got] == times
    assert [[row["load_t"], row["tilt_x"]] for row in got] == rows
    assert {row["q"] for row in got} == {0}


async def test_bad_values_are_absent_and_the_quality_is_said(influx, tmp_path):
    names = ["crane-1.load_t", "crane-1.radius_m"]
    sent = block(names, [[1, 2], [NAN, 2.5], [NAN, NAN], [3, 4]], [[0, 0], [2, 1], [2, 2], [0, 1]])
    assert (await send(influx, [sent], tmp_path)).kind is ReceiptKind.ACCEPTED
    got = influx.query("SELECT load_t, radius_m, q FROM crane_rt")
    assert [(row["load_t"], row["radius_m"], row["q"]) for row in got] == [
        (1, 2, 0),
        (None, 2.5, 2),
        (None, None, 2),
        (3, 4, 1),
    ]


async def test_all_measurements_arrive_with_their_tags(influx, tmp_path):
    names = ["crane-1.load_t", "pit-1.wall_top_h_2", "mast-1.wind", "other.level"]
    assert (await send(influx, [block(names, [[1, 2, 3, 4]])], tmp_path)).kind is ReceiptKind.ACCEPTED
    assert {row["key"] for row in influx.query("SHOW SERIES")} == {
        "crane_rt,crane_sn=SIM-TC-1,project=DEMO-0001",
        "pit_point,item_key=wall_top_h,pit=pit-1,point=wall_top_h_2,project=DEMO-0001",
        "env,project=DEMO-0001,sn=SIM-WM-1",
        "points,asset=other,project=DEMO-0001",
    }
    assert influx.query("SELECT value, q FROM pit_point") == [{"time": NOW_NS, "value": 2, "q": 0}]


async def test_hard_names_read_back(influx, tmp_path):
    names = ["塔机 1,a=b.load %s", "C:\\x.y"]
    assert (await send(influx, [block(names, [[1, 2]])], tmp_path)).kind is ReceiptKind.ACCEPTED
    (row,) = influx.query("SELECT \"load %s\" FROM points WHERE asset='塔机 1,a=b'")
    assert row["load %s"] == 1
    assert {row["value"] for row in influx.query('SHOW TAG VALUES FROM points WITH KEY = "asset"')} == {
        "塔机 1,a=b",
        "C:\\x",
    }


async def test_more_lines_than_one_request_holds_all_arrive(influx, tmp_path):
    rows = np.arange(12_001, dtype=np.float64).reshape(-1, 1)
    assert (await send(influx, [block(["crane-1.load_t"], rows)], tmp_path)).kind is ReceiptKind.ACCEPTED
    got = influx.query("SELECT count(load_t), sum(load_t), max(load_t) FROM crane_rt")[0]
    assert (got["count"], got["sum"], got["max"]) == (12_001, rows.sum(), 12_000)


async def test_a_replay_overwrites_and_adds_nothing(influx, tmp_path):
    sent = block(["crane-1.load_t", "pit-1.water_level"], [[i, -i] for i in range(500)])
    for _ in range(3):
        assert (await send(influx, [sent], tmp_path)).kind is ReceiptKind.ACCEPTED
    assert influx.count("crane_rt", "load_t") == 500
    assert influx.count("pit_point", "value") == 500


async def test_late_lines_are_marked(influx, tmp_path):
    sent = block(["crane-1.load_t"], [[1], [2]], times_ns=[NOW_NS - 61_000_000_000, NOW_NS])
    assert (await send(influx, [sent], tmp_path)).kind is ReceiptKind.ACCEPTED
    assert [row["late"] for row in influx.query("SELECT load_t, late FROM crane_rt")] == [True, None]


async def test_the_v1_path_writes_to_a_retention_policy(influx, tmp_path):
    influx.query(f'CREATE RETENTION POLICY "raw" ON "{influx.bucket}" DURATION INF REPLICATION 1')
    sent = block(["crane-1.load_t"], [[4.5]])
    assert (await send(influx, [sent], tmp_path, "v1", retention_policy="raw")).kind is ReceiptKind.ACCEPTED
    assert influx.query('SELECT load_t FROM "raw"."crane_rt"')[0]["load_t"] == 4.5
    assert influx.count("crane_rt", "load_t") == 0


async def test_nothing_to_send_is_accepted(influx, tmp_path):
    assert (await send(influx, [block(["crane-1.load_t"], [])], tmp_path)).kind is ReceiptKind.ACCEPTED
    assert influx.query("SHOW SERIES") == []


async def test_alerts_are_rejected_one_by_one(tmp_path, server):
    uplink = KIND.build(settings(server), context(tmp_path))
    assert not uplink.takes_alerts
    assert uplink.takes_readings
    items = [OutboxItem(i, "influx", f"key-{i}", "transition", b"{}", NOW_NS, 0) for i in range(2)]
    receipts = await uplink.send_alerts(items)
    await uplink.close()
    assert [receipt.kind for receipt in receipts] == [ReceiptKind.REJECTED] * 2
