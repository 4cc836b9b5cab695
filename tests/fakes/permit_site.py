"""A loaded site whose office keeps permits and warnings: what is entered is sealed by the site's own recorder, and the
asset models ask the register that folds its chain."""

import asyncio
import json
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from contract.envelope import SignedText
from contract.messages import MailboxMessage
from gateway.evidence.evidence import RecordKind
from gateway.parts.orders.sealing import seal_order
from gateway.parts.permits.desk import PermitDesk
from gateway.parts.permits.register import SCAFFOLD, SiteRegister
from gateway.uplinks.regulator_mailbox import DownMessage
from tests.fakes.loaded_site import LoadedSite
from tests.fakes.site import BOX

OFFICER = "安全员 (an)"


class PermitSite(LoadedSite):
    """`heard_at_ns` is when the regulator was heard last (UTC ns), None without one."""

    def __init__(self, folder: Path, assets: Sequence[Mapping[str, Any]], start: str) -> None:
        self.heard_at_ns: int | None = None
        names = [str(asset["id"]) for asset in assets]
        self.register = SiteRegister(lambda: self.heard_at_ns, lambda: (*names, SCAFFOLD))
        super().__init__(folder, assets, start, standing=self.register)
        recorder = self.site.recorder
        recorder.listeners.append(self.register.told)
        self.desk = PermitDesk(self.register, recorder, self.clock, lambda: tuple(names))
        self._messages = 0

    async def done(self, doing: Coroutine[Any, Any, int]) -> int:
        """Somebody at the site enters something, and it is sealed."""
        task = asyncio.create_task(doing)
        await asyncio.sleep(0)
        await self.site.recorder.drain()
        return await task

    async def down(self, kind: str, body: BaseModel) -> None:
        """The regulator says something."""
        self._messages += 1
        message = MailboxMessage(
            message_id=f"m-{self._messages}",
            mailbox_seq=self._messages,
            box_id=BOX,
            kind=kind,
            issued_at_ns=self.clock.now_ns(),
            body=body.model_dump(mode="json"),
        )
        signed = SignedText(
            alg="Ed25519", key_id="ed25519:" + "0" * 32, text=message.model_dump_json(), signature="AA=="
        )
        sealing = seal_order(DownMessage(message, signed), _kept, self.site.recorder, self.clock, "regulator")
        task = asyncio.create_task(sealing)
        await asyncio.sleep(0)
        await self.site.recorder.drain()
        await task

    def sealed_office(self, kind: RecordKind) -> list[dict[str, Any]]:
        """What the chain holds of permits or of the weather."""
        records = [json.loads(record.body) for record in self.site.alerts.all_evidence() if record.kind == kind]
        return [record["content"] for record in records]


async def _kept(_down: DownMessage) -> None:
    return None
