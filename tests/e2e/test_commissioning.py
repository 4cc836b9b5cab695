"""Commissioning walked end to end, as an electrician with a phone walks it: questions read from the command's output,
the cranes moved, answers typed. Crane 2 is wired with swapped words; later its load cell shows 8 % too much.
"""

import html
import json
import os
import re
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.chain import ChainHead
from contract.keyfile import load_or_create
from contract.signing import verify_key
from drivers.numbers.types import ByteOrder
from gateway.settings import config_root
from gateway.store.alert_store import open_for_reading
from tests.fakes.gateway_process import ROOT, GatewayProcess
from tests.fakes.mosquitto import free_port
from tests.fakes.ready_python import READY, run_ready
from tests.fakes.staged_crane import StagedCrane
from tests.fakes.waiting import wait_until

TITLES = {"title_zh": "测试工地", "title_en": "Test site"}
KNOWN_T = 2.0
QUESTION = re.compile(rb"\[([a-z0-9_.-]+)\]: $")


class Box:
    """A site with two cranes, its files, and the commands that an operator types."""

    def __init__(self, folder: Path, cranes: Mapping[str, StagedCrane], uplinks: bool = True) -> None:
        self.uplinks = uplinks
        self.folder, self.cranes = folder, cranes
        self.storage = folder / "box"
        self.site = folder / "site.yaml"
        self.url = f"http://127.0.0.1:{free_port()}"
        self.key = load_or_create(self.storage / "keys" / "desk.pem")
        self.use_tables(dict.fromkeys(cranes, "crane-host-modbus"))

    def use_tables(self, tables: Mapping[str, str]) -> None:
        site = {
            "version": 1,
            "box": {"id": "box-1"},
            "site": {"project_code": "E2E-2", **TITLES},
            "storage": {"folder": str(self.storage), "reserve_mib": 1, "history": {"flush_ms": 100}},
            "rule_packs": ["national"],
            "assets": [{"id": name, "kind": "tower-crane", "serial": name, **TITLES} for name in self.cranes],
            "links": [
                {"id": f"{name}-tcp", "driver": "modbus-tcp", "host": "127.0.0.1", "port": crane.port}
                for name, crane in self.cranes.items()
            ],
            "devices": [
                {"id": f"{name}-host", "link": f"{name}-tcp", "asset": name, "table": tables[name], "poll_ms": 50}
                for name in self.cranes
            ],
            "uplinks": self.uplinks
            * [
                {
                    "name": "desk",
                    "kind": "regulator",
                    "url": f"http://127.0.0.1:{free_port()}",
                    "enrol_code": {"file": str(self.folder / "stick*" / "code")},
                }
            ],
            "web": {"host": "127.0.0.1", "port": int(self.url.rsplit(":", 1)[1])},
        }
        self.site.write_text(yaml.safe_dump(site, allow_unicode=True), encoding="utf-8")

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        return run_ready("sitewarden", "commission", str(self.site), *arguments)

    def contents(self) -> list[dict[str, Any]]:
        records = [json.loads(record.body) for record in open_for_reading(self.storage).all_evidence()]
        return [record["content"] for record in records if record["kind"] == "commissioned"]

    def gateway(self) -> GatewayProcess:
        return GatewayProcess(self.site, self.url, python=READY)


def walk(box: Box, do: Mapping[str, Callable[[], str]]) -> tuple[int, str, list[str]]:
    """Run the command over pipes; at every question do what it asks and type what `do` returns."""
    line = [sys.executable, "-u", "-m", "sitewarden", "commission", str(box.site), "--samples", "3", "--pause-ms", "20"]
    process = subprocess.Popen(line, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin
    assert process.stdout
    said, asked, deadline = b"", [], time.monotonic() + 60
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while time.monotonic() < deadline:
            if not selector.select(1):
                continue
            piece = os.read(process.stdout.fileno(), 65536)
            if not piece:
                break
            said += piece
            question = QUESTION.search(said)
            if question:
                asked.append(question[1].decode())
                process.stdin.write(f"{do[asked[-1]]()}\n".encode())
                process.stdin.flush()
                said += b"\n"
    process.stdin.close()
    process.stdout.close()
    return process.wait(30), said.decode(), asked


def electrician(cranes: Mapping[str, StagedCrane]) -> dict[str, Callable[[], str]]:
    """Does every movement as asked, hangs 2 t, knows the radius from a tape."""

    def act(movement: Callable[[], None], answer: str = "") -> Callable[[], str]:
        def done() -> str:
            movement()
            return answer

        return done

    do: dict[str, Callable[[], str]] = {"operator": lambda: "李电工"}
    for name, crane in cranes.items():
        do |= {
            f"{name}.slew_right": act(lambda crane=crane: crane.slew(15)),
            f"{name}.slew_left": act(lambda crane=crane: crane.slew(-12)),
            f"{name}.trolley_out": act(lambda crane=crane: crane.trolley(2.5)),
            f"{name}.trolley_in": act(lambda crane=crane: crane.trolley(-2.2)),
            f"{name}.hoist_up": act(lambda crane=crane: crane.hoist(3)),
            f"{name}.hoist_down": act(lambda crane=crane: crane.hoist(-2.5)),
            f"{name}.known_load_t": act(lambda crane=crane: crane.hang(KNOWN_T), str(KNOWN_T)),
            f"{name}.known_radius_m": lambda crane=crane: f"{crane.radius_m}",
            f"{name}.chart_rated_t": lambda: "",
        }
    return do


def moment_reason(gateway: GatewayProcess, asset: str) -> list[str]:
    unknown = gateway.get("/api/alarms")["unknown"]
    return [row["reason_en"] for row in unknown if row["subject"] == f"{asset}.moment_pct"]


def test_a_site_is_commissioned_repaired_and_armed(tmp_path: Path) -> None:
    with StagedCrane() as first, StagedCrane(ByteOrder.CDAB, shown_load=1.08) as second:
        box = Box(tmp_path, {"crane-1": first, "crane-2": second})
        finds_the_swapped_words(box)
        corrects_the_table(box)
        refuses_the_load_cell(box)
        holds_the_alarms_back(box)
        second.shown_load = 1.02
        second.show()
        arms(box)
        raises_the_alarm(box)
    assert isinstance(open_for_reading(box.storage).verify(), ChainHead)


def finds_the_swapped_words(box: Box) -> None:
    status, said, asked = walk(box, electrician(box.cranes))
    assert status == 1
    assert len(asked) == len(set(asked)) == 19, "every question once"
    assert "this looks like CDAB" in said
    assert "crane-1: load alarms armed" in said
    assert "crane-2: load alarms NOT ARMED" in said
    assert "crane-1: slew_right: right" in said
    assert [one["armed"] for one in box.contents()[-1]["cranes"]] == [True, False]


def corrects_the_table(box: Box) -> None:
    """What the sheet advises: a table of the site's own, with the order turned."""
    shipped = yaml.safe_load((config_root() / "devices" / "crane-host-modbus.yaml").read_text(encoding="utf-8"))
    (box.folder / "devices").mkdir()
    turned = shipped | {"model": "crane-host-cdab", "order": "CDAB"}
    path = box.folder / "devices" / "crane-host-cdab.yaml"
    path.write_text(yaml.safe_dump(turned, allow_unicode=True), encoding="utf-8")
    box.use_tables({"crane-1": "crane-host-modbus", "crane-2": "crane-host-cdab"})


def refuses_the_load_cell(box: Box) -> None:
    status, said, _ = walk(box, electrician(box.cranes))
    assert status == 1
    assert "looks like" not in said
    assert "crane-2: slew_right: right" in said
    assert "crane-2: load +8.0 %, moment +8.0 %" in said
    assert "failed known-load check" in said


def holds_the_alarms_back(box: Box) -> None:
    """Both cranes overload: crane 1 alarms, crane 2 cannot be judged and says why."""
    for crane in box.cranes.values():
        crane.hang(6.0)
    with box.gateway() as gateway:
        refused = box.command("--yes")
        assert refused.returncode == 2
        assert b"another gateway is running" in refused.stderr
        wait_until(lambda: raised(gateway) == {"crane-1"}, "the alarm of crane 1")
        assert len(moment_reason(gateway, "crane-2")) >= 4, "every limit of the moment"
        assert all("failed known-load check" in why for why in moment_reason(gateway, "crane-2"))
        assert moment_reason(gateway, "crane-1") == []
        points = {row["point_id"]: row["quality"] for row in gateway.get("/api/points")["points"]}
        assert (points["crane-2.moment_pct"], points["crane-2.load_t"]) == ("SUSPECT", "SUSPECT")
        assert (points["crane-2.slew_deg"], points["crane-1.moment_pct"]) == ("GOOD", "GOOD")
        armed = {row["asset"]: row["load_alarms_armed"] for row in gateway.get("/api/health")["commissioning"]}
        assert armed == {"crane-1": True, "crane-2": False}


def arms(box: Box) -> None:
    for crane in box.cranes.values():
        crane.hang(0)
    status, said, _ = walk(box, electrician(box.cranes))
    assert status == 0, said
    assert "everything is proven" in said
    sealed = box.contents()
    assert len(sealed) == 3
    printed = [box.command("--print").stdout for _ in range(2)]
    assert printed[0] == printed[1] == (box.storage / "commissioning" / "sheets" / sealed[-1]["sheet"]).read_bytes()
    verify_key(sealed[-1]["alg"], sealed[-1]["public_key"]).verify(sealed[-1]["signature"], printed[0])
    assert sealed[-1]["key_id"] == box.key.public.key_id
    page = html.unescape(printed[0].decode())
    assert "李电工" in page
    assert page.index("调试记录") < page.index("Commissioning sheet")
    assert "GB 5144-2006 6.1.1" in page


def raises_the_alarm(box: Box) -> None:
    for crane in box.cranes.values():
        crane.hang(6.0)
    with box.gateway() as gateway:
        wait_until(lambda: raised(gateway) == {"crane-1", "crane-2"}, "the alarms of both")
        assert moment_reason(gateway, "crane-2") == []


def raised(gateway: GatewayProcess) -> set[str]:
    alarms = gateway.get("/api/alarms")["alarms"]
    return {alarm["asset"] for alarm in alarms if alarm["rule_id"] == "crane.moment.alarm" and alarm["active"]}


def test_answers_from_a_file_and_buses_that_the_gateway_does_not_read(tmp_path: Path) -> None:
    answers = tmp_path / "answers.yaml"
    answers.write_text("operator: 王工\ncrane-1: {known_load_t: 2, known_radius_m: skip, chart_rated_t: skip}\n")
    with StagedCrane() as crane:
        crane.hang(KNOWN_T)
        box = Box(tmp_path, {"crane-1": crane}, uplinks=False)
        with box.gateway():
            done = box.command("--yes", "--answers", str(answers), "--offline-buses", "--samples", "2")
            assert done.returncode == 1, "the movements were skipped"
            assert "load alarms armed" in done.stdout.decode()
            assert box.contents() == []
        with box.gateway():
            wait_until(lambda: len(box.contents()) == 1, "the sheet sealed at the next start")
        assert box.contents()[0]["operator"] == "王工"


def test_input_that_ends_leaves_nothing_behind(tmp_path: Path) -> None:
    with StagedCrane() as crane:
        box = Box(tmp_path, {"crane-1": crane})
        done = box.command("--samples", "1")
    assert done.returncode == 2
    assert b"input ended at the question operator; nothing was written" in done.stderr
    assert not (box.storage / "commissioning").exists()


def test_a_sheet_that_was_changed_is_not_printed(tmp_path: Path) -> None:
    with StagedCrane() as crane:
        box = Box(tmp_path, {"crane-1": crane})
        assert box.command("--yes", "--samples", "1").returncode == 1
        (sheet,) = (box.storage / "commissioning" / "sheets").glob("*.html")
        sheet.write_bytes(sheet.read_bytes().replace(b"NOT ARMED", b"armed"))
        printed = box.command("--print")
    assert printed.returncode == 2
    assert printed.stdout == b""
    assert b"as sealed" in printed.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--scan", "crane-1-tcp", "--units", "1-2", "--addresses", "0-19"), "1 of 2 units show words"),
        (("--scan", "nowhere"), "expected one of crane-1-tcp"),
        (("--scan", "crane-1-tcp", "--units", "9-3"), "the smaller one first"),
    ],
)
def test_a_bus_is_scanned(tmp_path: Path, arguments: tuple[str, ...], expected: str) -> None:
    with StagedCrane() as crane:
        done = Box(tmp_path, {"crane-1": crane}).command(*arguments)
    assert expected in (done.stdout + done.stderr).decode()
