"""One simulated box: says what a gateway says, keeps what was not receipted, and sends it again until it is.

    alarm() --> chain record, transition, picture --> outbox --> deliver() --> receipts

In: an HTTP client and a clock. Out: items at a regulator, and how long each receipt took. A refusal that a gateway
would put aside is kept in `refused`; a dead link costs nothing but time.
"""

import base64
import hashlib
import json
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from contract.canonical import Canonical, canonical_bytes
from contract.chain import ChainHead, record_digest
from contract.envelope import SIGNATURE_HEADER, Envelope, seal
from contract.faults import FAULTS
from contract.signing import generate_key, sign_key
from regulator.twins.picture import SIZE_PX, drawn_picture

SOFTWARE = "sitewarden box twin"


@dataclass(frozen=True, slots=True)
class TwinAlarm:
    """What a twin raises. `camera_id` empty: no picture goes with it."""

    rule_id: str
    severity: str
    asset: str
    asset_kind: str
    subject: str
    title_zh: str
    title_en: str
    measured: str
    limit: str
    unit: str
    clause: str
    camera_id: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to be held by the regulator. `key` never changes, however often it is sent."""

    kind: str
    key: str
    body: Mapping[str, Canonical]


@dataclass(slots=True)
class Tally:
    """What came of the sendings. Times in milliseconds, one a receipt; `refused` has the regulator's error codes."""

    receipt_ms: list[float] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    retries: int = 0


@dataclass(frozen=True, slots=True)
class KeptBox:
    """A box that has enrolled: its key, the number of its last envelope, the end of its chain."""

    key_pem: str
    envelope_seq: int
    chain_seq: int
    chain_sha256: str


class BoxTwin:
    """`elapsed_s` is a monotonic clock, `now_ns` UTC. Not thread-safe: one task a box."""

    def __init__(
        self,
        box_id: str,
        project_code: str,
        client: httpx.AsyncClient,
        now_ns: Callable[[], int],
        elapsed_s: Callable[[], float],
        kept: "KeptBox | None" = None,
    ) -> None:
        self.box_id, self.project_code = box_id, project_code
        self.key = sign_key(kept.key_pem.encode()) if kept else generate_key()
        self.head = ChainHead(kept.chain_seq, kept.chain_sha256) if kept else ChainHead()
        self.tally = Tally()
        self.outbox: deque[Item] = deque()
        self._client, self._now_ns, self._elapsed_s = client, now_ns, elapsed_s
        self._seq = kept.envelope_seq if kept else 0
        self._raised_at_ns: dict[str, int] = {}

    def keep(self) -> "KeptBox":
        """What another process needs to go on as this box."""
        return KeptBox(self.key.pem().decode(), self._seq, self.head.seq, self.head.sha256)

    async def enrol(self, code: str) -> None:
        """Introduce itself. Raises httpx.HTTPStatusError when the code is not taken."""
        body = {
            "code": code,
            "public_key": self.key.public.public_text,
            "project_code": self.project_code,
            "software": SOFTWARE,
        }
        answer = await self._send("/v1/enrol", "enrol", f"enrol-{self.box_id}", body)
        answer.raise_for_status()

    async def heartbeat(self) -> None:
        """Alive, and where its chain ends. One that is lost is lost, as a gateway's."""
        chain = {"seq": self.head.seq, "sha256": self.head.sha256}
        counters = {"cameras_online": 2, "cameras": 2, "outbox": len(self.outbox), "waiting": len(self.outbox)}
        body = {"chain": chain, "started_at_ns": 0, "counters": counters}
        try:
            await self._send("/v1/messages", "heartbeat", f"heartbeat-{uuid.uuid4().hex}", body)
        except httpx.HTTPError:
            self.tally.retries += 1

    async def tell_state(self, software: str, started_at_ns: int) -> None:
        """What it is: it judges by nothing and looks at no picture. One that is lost is lost."""
        body: dict[str, Canonical] = {"software": software, "started_at_ns": started_at_ns, "clock": "unknown"}
        body |= {"settings_sha256": hashlib.sha256(self.box_id.encode()).hexdigest(), "rule_packs": [], "models": []}
        try:
            await self._send("/v1/messages", "box_state", "box_state", body)
        except httpx.HTTPError:
            self.tally.retries += 1

    def camera_minute(self, camera_id: str, ailment: str, minute_at_ns: int) -> None:
        """A camera's summary of one minute: usable, or what ails it ("offline", "covered" ...)."""
        says = {"usable": not ailment, ailment or "offline": bool(ailment)}
        rows: list[Canonical] = [
            {
                "point_id": f"{camera_id}.{name}",
                "unit": "",
                "min": str(int(holds)),
                "max": str(int(holds)),
                "mean": str(int(holds)),
                "count": 60,
                "quality": 0,
            }
            for name, holds in says.items()
        ]
        self._minute(camera_id, rows, minute_at_ns)

    def minute(self, asset: str, points: int, minute_at_ns: int) -> None:
        """A summary of one minute with so many points."""
        rows: list[Canonical] = [
            {
                "point_id": f"{asset}.p{number}",
                "unit": "mm",
                "min": "1.0",
                "max": "2.5",
                "mean": "1.7",
                "count": 60,
                "quality": 0,
            }
            for number in range(points)
        ]
        self._minute(asset, rows, minute_at_ns)

    def _minute(self, asset: str, rows: list[Canonical], minute_at_ns: int) -> None:
        body: dict[str, Canonical] = {"minute_at_ns": minute_at_ns, "asset": asset, "points": rows}
        self.outbox.append(Item("minute_summary", f"{self.box_id}-{asset}-{minute_at_ns}", body))

    def picture(self, camera_id: str, seed: int, event_id: str = "") -> None:
        """A small picture, of an alarm when `event_id` is given."""
        content = drawn_picture(seed)
        body: dict[str, Canonical] = {
            "camera_id": camera_id,
            "captured_at_ns": self._now_ns(),
            "media_type": "image/jpeg",
            "width_px": SIZE_PX[0],
            "height_px": SIZE_PX[1],
            "sha256": hashlib.sha256(content).hexdigest(),
            "data_base64": base64.b64encode(content).decode(),
            "event_id": event_id,
        }
        self.outbox.append(Item("thumbnail", f"picture-{uuid.uuid4().hex}", body))

    def alarm(self, alarm: TwinAlarm, seed: int = 0) -> str:
        """Raise: a sealed record, the transition that names it, and a picture when a camera saw it. The alarm's id."""
        alarm_id = uuid.uuid4().hex
        self._transition(alarm, alarm_id, "raised", seed)
        return alarm_id

    def acknowledged(self, alarm: TwinAlarm, alarm_id: str) -> None:
        """Somebody at the site has seen it."""
        self._transition(alarm, alarm_id, "acknowledged", 0)

    def returned(self, alarm: TwinAlarm, alarm_id: str) -> None:
        """The same alarm returns to normal."""
        self._transition(alarm, alarm_id, "returned", 0)

    def _transition(self, alarm: TwinAlarm, alarm_id: str, transition: str, seed: int) -> None:
        event_id, now_ns = f"{alarm_id}-{transition}", self._now_ns()
        raised_at_ns = self._raised_at_ns.setdefault(alarm_id, now_ns)
        said = {"rule_id": alarm.rule_id, "subject": alarm.subject, "measured": alarm.measured, "limit": alarm.limit}
        self._seal({"transition": transition, "alarm": said | {"alarm_id": alarm_id}}, now_ns)
        body: dict[str, Canonical] = {
            "event_id": event_id,
            "alarm_id": alarm_id,
            "transition": transition,
            "rule_id": alarm.rule_id,
            "severity": alarm.severity,
            "subject": alarm.subject,
            "asset": alarm.asset,
            "asset_kind": alarm.asset_kind,
            "title_zh": alarm.title_zh,
            "title_en": alarm.title_en,
            "measured": alarm.measured or None,
            "limit": alarm.limit or None,
            "unit": alarm.unit,
            "limit_source": "product_default",
            "clause": alarm.clause,
            "certainty": "PD",
            "suspected": False,
            "observed_at_ns": now_ns,
            "raised_at_ns": raised_at_ns,
            "user": "" if transition != "acknowledged" else "现场安全员",
            "reason": "",
            "evidence_seq": self.head.seq,
            "evidence_sha256": self.head.sha256,
            "project_code": self.project_code,
        }
        if transition == "returned":
            del self._raised_at_ns[alarm_id]
        self.outbox.append(Item("alarm_transition", event_id, body))
        if alarm.camera_id and transition == "raised":
            self.picture(alarm.camera_id, seed, event_id)

    def _seal(self, content: Mapping[str, Canonical], now_ns: int) -> None:
        seq = self.head.seq + 1
        record: dict[str, Canonical] = {
            "seq": seq,
            "prev": self.head.sha256,
            "box_id": self.box_id,
            "kind": "alarm_transition",
            "at_ns": now_ns,
            "content": dict(content),
        }
        raw = canonical_bytes(record)
        self.head = ChainHead(seq, record_digest(raw))
        body = {"record": raw.decode(), "sha256": self.head.sha256}
        self.outbox.append(Item("evidence_record", f"{self.box_id}-{seq}", body))

    async def deliver(self) -> bool:
        """Send what waits, in order; False when the link failed, and the rest waits on."""
        while self.outbox:
            item = self.outbox[0]
            began = self._elapsed_s()
            try:
                answer = await self._send("/v1/messages", item.kind, item.key, item.body)
            except httpx.HTTPError:
                self.tally.retries += 1
                return False
            if not self._settle(item, answer, (self._elapsed_s() - began) * 1000):
                return False
        return True

    def _settle(self, item: Item, answer: httpx.Response, took_ms: float) -> bool:
        if answer.status_code == httpx.codes.OK:
            self.tally.receipt_ms.append(took_ms)
            self.tally.accepted.append(item.key)
            self.outbox.popleft()
            return True
        fault = FAULTS.get(_error_code(answer))
        if fault is None or not fault.about_item:
            self.tally.retries += 1
            return False
        self.tally.refused.append(fault.code)
        self.outbox.popleft()
        return True

    async def _send(self, address: str, kind: str, key: str, body: Mapping[str, Any]) -> httpx.Response:
        self._seq += 1
        envelope = Envelope(
            alg=self.key.public.alg,
            key_id=self.key.public.key_id,
            box_id=self.box_id,
            seq=self._seq,
            key=key,
            kind=kind,
            sent_at_ns=self._now_ns(),
            body=dict(body),
        )
        sealed = seal(envelope, self.key)
        return await self._client.post(address, content=sealed.raw, headers={SIGNATURE_HEADER: sealed.signature})


def _error_code(answer: httpx.Response) -> str:
    try:
        return str(json.loads(answer.content)["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return ""
