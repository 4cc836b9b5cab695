"""A box of its own process that reads one real Modbus server and reports to a real receiver: for faults of its disk.

with reporting_box(folder, storage) as box:
    box.gateway.start()
    key = box.raise_alarm()          # a P1; the regulator holds it when this returns
    box.return_alarm()
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from contract.chain import ChainHead
from gateway.store.alert_store import open_for_reading
from regulator.base.intake.holdings import Holdings
from regulator.base.records.tables.intake import alarms
from tests.fakes.field_site import CRANE_RULE, FLOAT_KEYS, WORD_KEYS, crane_words, write_site
from tests.fakes.gateway_process import GatewayProcess
from tests.fakes.libmodbus_server import LibmodbusServer
from tests.fakes.mosquitto import free_port
from tests.fakes.ready_python import READY
from tests.fakes.regulator import FakeRegulator
from tests.fakes.waiting import wait_until

REST = dict.fromkeys((*FLOAT_KEYS, *WORD_KEYS, "tilt_deg"), 1.0)


@dataclass
class ReportingBox:
    """`told_s`: from the change of the register until the regulator held the newest raise."""

    folder: Path
    storage: Path
    site: Path
    field: LibmodbusServer
    gateway: GatewayProcess
    told_s: float = 0.0

    def raise_alarm(self) -> str:
        """Beyond the limit, until the regulator holds it; the key."""
        before, began = self.raised(), time.monotonic()
        self.field.set_registers(0, crane_words(REST | {"moment_pct": 117.0}))
        wait_until(lambda: len(self.raised()) > len(before), "the raise at the regulator", 30)
        self.told_s = time.monotonic() - began
        (key,) = set(self.raised()) - set(before)
        return key

    def return_alarm(self) -> None:
        """At rest again, until the regulator holds it."""
        before = len(self.alerts("returned"))
        self.field.set_registers(0, crane_words(REST))
        wait_until(lambda: len(self.alerts("returned")) > before, "the return at the regulator", 30)

    def alerts(self, transition: str) -> list[str]:
        """Keys of the rule's alerts that the regulator holds."""
        with self._holdings() as held:
            found = held.alerts()
        return [row["key"] for row in found if (row["rule_id"], row["transition"]) == (CRANE_RULE, transition)]

    def raised(self) -> list[str]:
        return self.alerts("raised")

    def told_records(self) -> list[tuple[int, str]]:
        """Number and digest of the record that each transition at the regulator names."""
        with self._holdings() as held:
            told = [json.loads(item["body"]) for item in held.items("alarm_transition")]
        return [(each["evidence_seq"], each["evidence_sha256"]) for each in told]

    def unsealed_at_regulator(self) -> set[str]:
        """Raises that the regulator holds without a record."""
        with self._holdings() as held, held.database.reading() as db:
            return set(db.scalars(select(alarms.c.raised_event).where(alarms.c.evidence_seq == 0)))

    def counters(self) -> dict[str, int]:
        """Figures of the last heartbeat."""
        with self._holdings() as held:
            return dict(json.loads(held.boxes()[0]["counters"]))

    def failing(self) -> bool:
        return bool(self.gateway.get("/api/health")["store_failing"])

    def contents(self, kind: str) -> list[dict[str, Any]]:
        """Contents of the chain's records of one kind."""
        found = [json.loads(record.body) for record in open_for_reading(self.storage).all_evidence()]
        return [record["content"] for record in found if record["kind"] == kind]

    def told_unsealed(self) -> dict[str, dict[str, Any]]:
        """key -> what its record says of having been told before it was sealed."""
        told = [content.get("told_unsealed") for content in self.contents("alarm_transition")]
        return {each["event_id"]: each for each in told if each}

    def assert_chain_holds(self) -> None:
        outcome = open_for_reading(self.storage).verify()
        assert isinstance(outcome, ChainHead), outcome

    @contextmanager
    def _holdings(self) -> Iterator[Holdings]:
        held = Holdings.at(self.folder / "regulator.db")
        try:
            yield held
        finally:
            held.close()


@contextmanager
def reporting_box(folder: Path, storage: Path) -> Iterator[ReportingBox]:
    """Not started yet; ended in the end."""
    with LibmodbusServer(1, 40) as field, FakeRegulator(folder) as regulator:
        field.set_registers(0, crane_words(REST))
        (folder / "code").write_text(regulator.code_for("e2e-box", "E2E-1"))
        port = free_port()
        desk = {"name": "desk", "kind": "regulator", "url": regulator.url, "heartbeat_s": 0.5}
        desk |= {"enrol_code": {"file": str(folder / "code")}}
        site = write_site(
            folder,
            crane_port=field.port,
            broker_port=free_port(),
            web_port=port,
            uplinks=[desk],
            storage=storage,
        )
        gateway = GatewayProcess(site, f"http://127.0.0.1:{port}", python=READY)
        try:
            yield ReportingBox(folder, storage, site, field, gateway)
        finally:
            gateway.stop()
