"""A box that talks to a desk's `Reception` without a wire in between: real envelopes, real signatures, real chain."""

import base64
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract.canonical import canonical_bytes
from contract.chain import GENESIS, record_digest
from contract.envelope import Envelope, Reply, seal
from contract.signing import SignKey, generate_key
from regulator.base.desk import Desk
from regulator.base.intake.building import Intake, build_intake
from regulator.base.intake.reception import Answer, Reception, Request
from regulator.base.records.engine import DeskDatabase
from regulator.base.settings import DeskSettings
from tests.fakes.contract_box import alarm_body
from tests.fakes.desk_database import DeskClock

PROJECT = "P-1"


@dataclass
class DeskIntake:
    """A desk with an intake and nothing else."""

    desk: Desk
    intake: Intake
    clock: DeskClock

    def run(self, job: str) -> None:
        """One run of a job, now."""
        next(known for known in self.desk.jobs if known.name == job).run(self.clock())

    def findings(self, *kinds: str) -> list[dict[str, Any]]:
        """Open findings, of some kinds or all."""
        rows = [row for row in self.intake.store.findings() if not row["closed_at_ns"]]
        return [row for row in rows if not kinds or row["kind"] in kinds]

    def box(self, box_id: str = "box-1", project: str = "") -> "SendingBox":
        """A box that is not enrolled yet, with a code: `box-2` of project `P-2` unless another one is named."""
        project = project or f"P-{box_id.removeprefix('box-')}"
        code = self.intake.store.issue_code(box_id, project)
        return SendingBox(self.intake.reception, self.clock, box_id, project, code)


def desk_intake(database: DeskDatabase, key: SignKey, clock: DeskClock, folder: Path, **changes: Any) -> DeskIntake:
    """Files on disk in `folder`."""
    known: dict[str, Any] = {"database": "sqlite://", "blobs": str(folder / "blobs"), "key_file": folder / "key"}
    desk = Desk(DeskSettings(**known | changes), database, key, clock)
    intake = build_intake(desk)
    desk.jobs += intake.jobs
    return DeskIntake(desk, intake, clock)


class SendingBox:
    """Counts its numbers and seals its records."""

    def __init__(self, reception: Reception, clock: DeskClock, box_id: str, project: str, code: str) -> None:
        self.reception, self.clock = reception, clock
        self.box_id, self.project, self.code = box_id, project, code
        self.key: SignKey = generate_key()
        self.seq = 0
        self.records: list[tuple[str, str]] = []
        self.sent: list[Request] = []

    def request(self, kind: str, key: str, body: dict[str, Any], **beside: Any) -> Request:
        """The next sending, signed."""
        self.seq += 1
        public = self.key.public
        fields = {"alg": public.alg, "key_id": public.key_id, "box_id": self.box_id, "seq": self.seq, "key": key}
        sealed = seal(Envelope(kind=kind, sent_at_ns=self.clock(), body=body, **fields), self.key)
        return Request(sealed.raw, sealed.signature, "/v1/messages", **beside)

    async def enrol(self) -> Answer:
        """Introduce itself."""
        body = {"code": self.code, "public_key": self.key.public.public_text, "project_code": self.project}
        return await self.reception.enrol(self.request("enrol", "enrol", body | {"software": "test"}))

    async def say(self, kind: str, key: str, body: dict[str, Any]) -> Answer:
        """An item, a heartbeat, an acknowledgement."""
        self.sent.append(self.request(kind, key, body))
        return await self.reception.message(self.sent[-1])

    async def alarm(self, name: str = "a", transition: str = "raised", **changes: Any) -> Answer:
        """A transition of an alarm, `<name>:<transition>`."""
        key = f"{name}:{transition}"
        said = {"alarm_id": name, "transition": transition, "project_code": self.project}
        return await self.say("alarm_transition", key, alarm_body(key, **said | changes))

    async def record(self, words: str = "", **content: Any) -> Answer:
        """The next record of its chain."""
        prev = self.records[-1][1] if self.records else GENESIS
        fields = {"seq": len(self.records) + 1, "prev": prev, "box_id": self.box_id, "words": words} | content
        text = canonical_bytes(fields)
        self.records.append((text.decode(), record_digest(text)))
        body = {"record": text.decode(), "sha256": self.records[-1][1]}
        return await self.say("evidence_record", f"record-{len(self.records)}-{words}", body)

    async def beat(self, seq: int = 0, sha256: str = GENESIS) -> Answer:
        """A heartbeat."""
        body = {"chain": {"seq": seq, "sha256": sha256}, "started_at_ns": 1, "counters": {}}
        return await self.say("heartbeat", "heartbeat", body)

    async def file(self, content: bytes, **changes: Any) -> Answer:
        """A file in one part."""
        digest = hashlib.sha256(content).hexdigest()
        body = {"sha256": digest, "size_bytes": len(content), "offset_bytes": 0, "part_sha256": digest}
        request = self.request("blob", "blob", body | {"media_type": "video/mp4"} | changes)
        read = reading(content)
        return await self.reception.blob(Request(request.raw, request.signature, "/v1/blobs/", digest, read))

    async def segment(self, key: str, content: bytes, event_id: str) -> Answer:
        """A clip of an alarm, its file first."""
        await self.file(content)
        said = {"segment_id": key, "camera_id": "cam-1", "started_at_ns": self.clock(), "duration_ms": 8000}
        said |= {"media_type": "video/mp4", "blob_sha256": hashlib.sha256(content).hexdigest()}
        return await self.say("media_segment", key, said | {"size_bytes": len(content), "event_id": event_id})

    async def thumbnail(self, key: str, content: bytes, event_id: str) -> Answer:
        """A small picture of an alarm."""
        said = {"camera_id": "cam-1", "captured_at_ns": self.clock(), "media_type": "image/jpeg", "width_px": 320}
        said |= {"height_px": 180, "sha256": hashlib.sha256(content).hexdigest(), "event_id": event_id}
        return await self.say("thumbnail", key, said | {"data_base64": base64.b64encode(content).decode()})


def reading(content: bytes) -> Callable[[], Awaitable[bytes]]:
    """How a request's bytes are read."""

    async def read() -> bytes:
        return content

    return read


def reply_of(answer: Answer) -> Reply:
    """The answer, parsed."""
    return Reply.model_validate(json.loads(answer.sealed.raw))


def code_of(answer: Answer) -> str:
    """The error's code, '' when there is none."""
    error = reply_of(answer).error
    return error.code if error else ""
