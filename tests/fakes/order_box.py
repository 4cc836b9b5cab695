"""What answers orders and keeps permits, over real stores in a folder; the regulator's word is signed and sealed as it
would be, without a wire. Open one on a folder again and it is the box after a restart."""

import asyncio
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pydantic import BaseModel

from contract.envelope import SignedText
from contract.mailbox import Order, OrderState, WeatherWarning, WorkPermit
from contract.messages import MailboxMessage
from gateway.line.recorder import Recorder, Route
from gateway.media.shelf import MediaShelf
from gateway.parts.orders.answering import NewReply, OrderOffice, Upload
from gateway.parts.orders.order import Answer, SiteOrder
from gateway.parts.orders.order_book import BOOK_KINDS
from gateway.parts.orders.sealing import seal_order
from gateway.parts.permits.desk import PermitDesk
from gateway.parts.permits.register import REGISTER_KINDS, SCAFFOLD, SiteRegister
from gateway.store.alarm_reader import AlarmReader
from gateway.store.alert_store import AlertStore
from gateway.store.outbox_reader import OutboxReader
from gateway.uplinks.regulator_mailbox import DownMessage
from kit.clock import SimulatedClock
from tests.fakes.site import BOX, NOW_NS

REGULATOR = Route("regulator", True, True, True)
HOUR_NS = 3_600 * 1_000_000_000
DEADLINE_NS = NOW_NS + 48 * HOUR_NS
REPLY_ID = "0123456789abcdef" * 2


def photo(seed: int = 1, kind: str = "JPEG", side_px: int = 96) -> bytes:
    """A picture of noise: another seed is another picture."""
    pixels = np.random.default_rng(seed).integers(0, 255, (side_px, side_px, 3), dtype=np.uint8)
    body = io.BytesIO()
    Image.fromarray(pixels).save(body, kind)
    return body.getvalue()


def order(order_id: str = "o-1", **changes: Any) -> Order:
    """An order that is due in two days."""
    fields: dict[str, Any] = {
        "order_id": order_id,
        "number": "整改〔2026〕1号",
        "title_zh": "限期整改",
        "title_en": "Rectify by the deadline",
        "words": "立即停止超载吊装",
        "legal_basis": "建质规〔2024〕5号",
        "severity": "P1",
        "deadline_at_ns": DEADLINE_NS,
    }
    return Order(**fields | changes)


def order_state(state: str, order_id: str = "o-1", **changes: Any) -> OrderState:
    """Where the regulator says it stands."""
    return OrderState.model_validate({"order_id": order_id, "state": state, "changed_at_ns": NOW_NS + 1} | changes)


def permit(**changes: Any) -> WorkPermit:
    """A climbing permit for crane-1, valid for the eight hours from now on."""
    fields = {
        "permit_id": "p-1",
        "version": 1,
        "number": "2026-017",
        "work": "climbing",
        "asset": "crane-1",
        "holder": "安装负责人",
        "issued_by": "监管部门",
        "valid_from_ns": NOW_NS,
        "valid_until_ns": NOW_NS + 8 * HOUR_NS,
    }
    return WorkPermit.model_validate(fields | changes)


def warning(**changes: Any) -> WeatherWarning:
    """An orange rainstorm warning for the three hours from now on."""
    fields = {
        "warning_id": "w-1",
        "version": 1,
        "kind": "rainstorm",
        "level": "orange",
        "source": "气象台",
        "valid_from_ns": NOW_NS,
        "valid_until_ns": NOW_NS + 3 * HOUR_NS,
    }
    return WeatherWarning.model_validate(fields | changes)


def said(answer: Answer, words: str = "", *bodies: bytes, reply_id: str = REPLY_ID) -> NewReply:
    """What a person wants to say."""
    uploads = tuple(Upload(f"{number}.jpg", body) for number, body in enumerate(bodies, 1))
    return NewReply(reply_id, answer, words, "安全员 (an)", uploads)


class OrderBox:
    """`heard_at_ns` is when the regulator was heard last, None without one."""

    def __init__(self, folder: Path, now_ns: int = NOW_NS, items: Sequence[str] = ("crane-1", SCAFFOLD)) -> None:
        self.clock = SimulatedClock(now_ns)
        self.folder = folder
        self.alerts = AlertStore(folder, 4096)
        self.recorder = Recorder(self.alerts, BOX, "PROJECT-1", (REGULATOR,), self.clock)
        self.chain = AlarmReader(self.alerts.path)
        self.outbox = OutboxReader(self.alerts.path)
        self.room = True
        self.shelf = MediaShelf(folder, may_write=lambda: self.room)
        self.heard_at_ns: int | None = now_ns
        self.office = OrderOffice(self.shelf, self.recorder, self.clock, lambda: self.recorder.regulators)
        self.office.read(self.chain.records(BOOK_KINDS, 0, 2**63 - 1))
        self.register = SiteRegister(lambda: self.heard_at_ns, lambda: items)
        self.register.read(self.chain.records(REGISTER_KINDS, 0, 2**63 - 1))
        self.desk = PermitDesk(self.register, self.recorder, self.clock, lambda: ("crane-1",))
        self.recorder.listeners += [self.register.told, self.office.told]
        self._recording = asyncio.create_task(self.recorder.run())
        self._messages = 0

    async def down(self, kind: str, body: BaseModel, uplink: str = "regulator", message_id: str = "") -> None:
        """The regulator says something, and it is sealed."""
        self._messages += 1
        message = MailboxMessage(
            message_id=message_id or f"{kind}-{self.clock.now_ns()}-{self._messages}",
            mailbox_seq=self._messages,
            box_id=BOX,
            kind=kind,
            issued_at_ns=self.clock.now_ns(),
            body=body.model_dump(mode="json"),
        )
        key_id = "ed25519:" + "0" * 32
        signed = SignedText(alg="Ed25519", key_id=key_id, text=message.model_dump_json(), signature="AA==")
        await seal_order(DownMessage(message, signed), _kept, self.recorder, self.clock, uplink)

    async def ordered(self, **changes: Any) -> SiteOrder:
        """One order, arrived."""
        await self.down("order", order(**changes))
        return self.office.orders()[0]

    def waiting(self) -> list[dict[str, Any]]:
        """Answers on their way out."""
        items = self.alerts.pending("regulator", 1000, media=True)
        return [json.loads(item.body) for item in items if item.kind == "order_reply"]

    def sealed(self, kind: str) -> list[dict[str, Any]]:
        """Contents of the chain's records of one kind."""
        records = [json.loads(record.body) for record in self.alerts.all_evidence() if record.kind == kind]
        return [record["content"] for record in records]

    async def stop(self) -> None:
        """As a kill would."""
        self._recording.cancel()
        await asyncio.gather(self._recording, return_exceptions=True)
        self.alerts.close()


async def _kept(_down: DownMessage) -> None:
    return None
