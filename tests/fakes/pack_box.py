"""A box that is offered rule packs: real settings from a real site file, a real chain; only the switching of tables is
left out."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from contract.mailbox import RulePackFile, RulePackOffer
from contract.packs import pack_sha256
from gateway.evidence.evidence import RecordKind
from gateway.line.recorder import Recorder
from gateway.model.errors import ConfigError, Fault
from gateway.parts.rule_packs.office import PackNeeds, PackOffice
from gateway.settings import Settings, load
from gateway.settings.kept_packs import KeptPack
from gateway.store.alert_store import AlertStore
from kit.clock import SimulatedClock
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS
from tests.fakes.field_site import write_site


def pack(limit: float = 90, **changes: Any) -> dict[str, str]:
    rule = {"id": "county.moment", "family": "threshold", "kind": "tower-crane", "key": "moment_pct", "high": limit}
    words = {"severity": "P2", "reportable": True, "title_zh": "县限值", "title_en": "County limit"}
    source = {"limit_source": "local_code", "clause": "made for the test", "certainty": "M-L"}
    said = {"version": 1, "pack": "county", "title_zh": "县", "title_en": "County", "rules": [rule | words | source]}
    return {"county.yaml": yaml.safe_dump(said | changes, allow_unicode=True)}


def offer(offer_id: str = "k-1", files: dict[str, str] | None = None, **changes: Any) -> RulePackOffer:
    texts = pack() if files is None else files
    said = {"offer_id": offer_id, "name": "county", "sha256": pack_sha256(texts), "reason": "县规定"}
    named = tuple(RulePackFile(name=name, text=text) for name, text in texts.items())
    return RulePackOffer(**said | {"files": named} | changes)


@dataclass
class Result:
    """What the app's reload answers."""

    faults: Sequence[Fault] = ()
    needs_restart: Sequence[str] = ()


@dataclass
class PackBox:
    """`needs_restart`: what a reload says instead of going on. `users`: who asked for one."""

    folder: Path
    site: Path
    alerts: AlertStore
    recorder: Recorder
    clock: SimulatedClock
    settings: Settings
    needs_restart: tuple[str, ...] = ()
    users: list[str] = field(default_factory=list)

    def office(self) -> PackOffice:
        """As after a start."""
        return PackOffice(
            PackNeeds(
                self.folder, self.loaded, self.reload, lambda: self.settings.rule_packs, self.recorder, self.clock
            )
        )

    def loaded(self, packs: Sequence[KeptPack] | None = None) -> Settings:
        return load(self.site, DRIVERS, UPLINKS, KINDS, packs=packs)

    async def reload(self, user: str, reason: str) -> Result:
        self.users.append(f"{user}: {reason}")
        if self.needs_restart:
            return Result(needs_restart=self.needs_restart)
        try:
            self.settings = self.loaded()
        except ConfigError as error:
            return Result(faults=error.faults)
        return Result()

    def limits(self) -> list[float]:
        return [row.limit for row in self.settings.rules if row.info.rule_id == "county.moment"]

    def sealed(self) -> list[dict[str, Any]]:
        records = [json.loads(record.body) for record in self.alerts.all_evidence()]
        return [record["content"] for record in records if record["kind"] == RecordKind.RULE_PACK]


@asynccontextmanager
async def pack_box(folder: Path) -> AsyncIterator[PackBox]:
    """A box whose recorder runs."""
    site = write_site(folder, crane_port=1, broker_port=2, web_port=3, uplinks=[])
    data = folder / "box"
    data.mkdir()
    alerts, clock = AlertStore(data, 1 << 20), SimulatedClock(1_000_000)
    recorder = Recorder(alerts, "e2e-box", "E2E-1", (), clock)
    running = asyncio.create_task(recorder.run())
    try:
        yield PackBox(data, site, alerts, recorder, clock, load(site, DRIVERS, UPLINKS, KINDS))
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await recorder.drain()
        alerts.close()
