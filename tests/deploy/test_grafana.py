"""The provisioned Grafana: its dashboard asks what the box writes. Every query runs on a real InfluxDB.

Grafana itself is not started: no package index of the tests has it. Its macros are filled in as it fills them in.
"""

import asyncio
import json
import re
from pathlib import Path

import pytest
import yaml

from gateway.model.alert import ReceiptKind
from gateway.uplinks.influx import KIND
from tests.fakes.blocks import block, context
from tests.fakes.influxdb import InfluxServer

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
GRAFANA = DEPLOY / "grafana"
SERVICES = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
SOURCE = yaml.safe_load((GRAFANA / "provisioning/datasources/influxdb.yaml").read_text())["datasources"][0]
(PROVIDER,) = yaml.safe_load((GRAFANA / "provisioning/dashboards/site.yaml").read_text())["providers"]
BOARD = json.loads((GRAFANA / "dashboards/site.json").read_text())
TARGETS = [(panel["title"], target) for panel in BOARD["panels"] for target in panel["targets"]]
VARIABLES = {each["name"]: each["query"] for each in BOARD["templating"]["list"]}
DEVICES = {
    "crane-1": "crane-host-modbus",
    "mast-1": "weather-mast-mqtt",
    "pit-1": "pit-logger-modbus",
}


def point_ids(asset: str, table: str) -> list[str]:
    """The points that a shipped register table gives an asset."""
    text = (DEPLOY.parent / "config" / "devices" / f"{table}.yaml").read_text()
    return [f"{asset}.{entry['key']}" for entry in yaml.safe_load(text)["points"]]


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A server with two polls of a crane, a pit and a mast, written by the box's own uplink."""
    with InfluxServer() as server:
        server.query(f'CREATE DATABASE "{server.bucket}"')
        asyncio.run(fill(server, tmp_path_factory.mktemp("box")))
        yield server


async def fill(influx, folder):
    about = {"name": "influx", "kind": "influx", "api": "v2", "url": influx.url, "org": "site", "bucket": influx.bucket}
    uplink = KIND.build(KIND.settings.model_validate(about), context(folder))
    ids = [point_ids(asset, table) for asset, table in DEVICES.items()]
    receipt = await uplink.send_readings([block(names, [[1.0] * len(names)] * 2) for names in ids])
    await uplink.close()
    assert receipt.kind is ReceiptKind.ACCEPTED


def as_grafana_fills_it_in(query: str) -> str:
    """`$timeFilter`, `$__interval` and a variable whose choice is All."""
    filled_in = query.replace("$timeFilter", "time >= 1699999999s and time <= 1700000010s")
    return re.sub(r"/\^\$\w+\$/", "/^(.*)$/", filled_in.replace("$__interval", "10s"))


@pytest.mark.parametrize(("title", "target"), TARGETS, ids=[f"panel-{panel['id']}" for panel in BOARD["panels"]])
def test_every_panel_finds_what_the_box_writes(filled, title, target):
    rows = filled.query(as_grafana_fills_it_in(target["query"]))
    assert rows, target["query"]
    named = set(re.findall(r"\$tag_(\w+)", target["alias"]))
    assert named <= rows[0].keys(), "the curve's name speaks of a tag that the series does not have"
    measured = rows[0].keys() - {"time"} - named
    assert all(row[key] is not None for row in rows for key in measured)


@pytest.mark.parametrize("name", VARIABLES)
def test_every_choice_offers_what_there_is(filled, name):
    assert filled.query(VARIABLES[name])


def test_a_value_that_is_missing_is_a_gap_and_unknown_is_said():
    for panel in BOARD["panels"]:
        drawn = panel["fieldConfig"]["defaults"]
        assert all("fill(none)" in target["query"] for target in panel["targets"])
        assert drawn["custom"].get("spanNulls") is False or drawn["noValue"] == "未知 unknown"


def test_panels_variables_and_source_fit_each_other():
    uids = {target["datasource"]["uid"] for _, target in TARGETS} | {
        panel["datasource"]["uid"] for panel in BOARD["panels"]
    }
    assert uids == {SOURCE["uid"]}
    used = set(re.findall(r"/\^\$(\w+)\$/", json.dumps(BOARD)))
    assert used == set(VARIABLES)
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])


def test_grafana_reads_the_database_of_the_compose_file():
    said = SERVICES["influxdb"]["environment"]
    assert SOURCE["jsonData"]["dbName"] == said["DOCKER_INFLUXDB_INIT_BUCKET"]
    assert SOURCE["url"].startswith("http://influxdb:")
    grafana = SERVICES["grafana"]
    (variable,) = re.findall(r"\$(\w+)", SOURCE["secureJsonData"]["httpHeaderValue1"])
    assert f'{variable}="$$(cat /run/secrets/influxdb-token)"' in grafana["entrypoint"][-1]
    assert "influxdb-token" in grafana["secrets"]
    mounts = dict(mount.split(":")[:2] for mount in grafana["volumes"])
    assert mounts["./grafana/dashboards"] == PROVIDER["options"]["path"]
    assert mounts["./grafana/provisioning"] == "/etc/grafana/provisioning"
