"""A box written from `docs/contract.md` alone: httpx, hashlib and an Ed25519 key, nothing of `contract/`.

Because it shares no code with either end, the contract suite notices when code and page drift apart.
"""

import base64
import hashlib
import json
import time
from dataclasses import dataclass
from typing import Any, Self

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


def canonical(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def fingerprint(public: bytes) -> str:
    return "ed25519:" + sha256(public)[:32]


@dataclass(frozen=True)
class Answer:
    """A reply whose signature was checked when the regulator's key was known."""

    status: int
    reply: dict[str, Any]

    @property
    def body(self) -> dict[str, Any]:
        assert self.status == 200, self.reply
        return dict(self.reply["body"] or {})

    @property
    def error(self) -> dict[str, Any]:
        assert self.status >= 400, self.reply
        return dict(self.reply["error"])


class ContractBox:
    """One box. `sign` and `post` are apart, so that a test can change what lies between."""

    def __init__(self, url: str, box_id: str) -> None:
        self.url = url
        self.box_id = box_id
        self.seq = 0
        self.key = Ed25519PrivateKey.generate()
        self.regulator: Ed25519PublicKey | None = None
        self.chain: list[tuple[bytes, str]] = []
        self.client = httpx.Client(base_url=url, trust_env=False, timeout=20, verify=url.startswith("https:"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    def envelope(self, kind: str, key: str, body: dict[str, Any], **changes: Any) -> dict[str, Any]:
        self.seq += 1
        fields = {
            "version": 1,
            "alg": "Ed25519",
            "key_id": fingerprint(self.public),
            "box_id": self.box_id,
            "seq": self.seq,
            "key": key,
            "kind": kind,
            "sent_at_ns": time.time_ns(),
            "late": False,
            "body": body,
        }
        return fields | changes

    def sign(self, raw: bytes) -> str:
        return base64.b64encode(self.key.sign(raw)).decode()

    def post(self, address: str, raw: bytes, signature: str) -> Answer:
        return self.read(self.client.post(address, content=raw, headers={"Sitewarden-Signature": signature}), raw)

    def say(self, kind: str, key: str, body: dict[str, Any], address: str = "/v1/messages", **changes: Any) -> Answer:
        raw = canonical(self.envelope(kind, key, body, **changes))
        return self.post(address, raw, self.sign(raw))

    def read(self, response: httpx.Response, asked: bytes) -> Answer:
        reply = json.loads(response.content)
        if self.regulator is not None:
            signature = base64.b64decode(response.headers["Sitewarden-Signature"])
            self.regulator.verify(signature, response.content)
            if response.status_code == 200:
                assert (reply["box_id"], reply["reply_to"]) == (self.box_id, json.loads(asked)["seq"])
        return Answer(response.status_code, reply)

    def enrol(self, code: str) -> Answer:
        public = base64.b64encode(self.public).decode()
        body = {"code": code, "public_key": public, "project_code": "CONTRACT-1", "software": "contract suite"}
        answer = self.say("enrol", f"enrol-{self.box_id}", body, "/v1/enrol")
        if answer.status == 200:
            raw = base64.b64decode(answer.body["public_key"])
            assert answer.body["key_id"] == fingerprint(raw)
            self.regulator = Ed25519PublicKey.from_public_bytes(raw)
        return answer

    def checked(self, signed: dict[str, str]) -> dict[str, Any]:
        """A signed text's document."""
        assert self.regulator is not None
        self.regulator.verify(base64.b64decode(signed["signature"]), signed["text"].encode())
        return dict(json.loads(signed["text"]))

    def seal_record(self, words: str) -> dict[str, Any]:
        """The next record of this box's chain, as an `evidence_record` body."""
        prev = self.chain[-1][1] if self.chain else "0" * 64
        record = {"seq": len(self.chain) + 1, "prev": prev, "box_id": self.box_id, "kind": "test", "words": words}
        raw = canonical(record)
        self.chain.append((raw, sha256(raw)))
        return {"record": raw.decode(), "sha256": sha256(raw)}

    def put_blob(self, content: bytes, part: bytes, offset: int = 0, **changes: Any) -> Answer:
        body = {
            "sha256": sha256(content),
            "size_bytes": len(content),
            "offset_bytes": offset,
            "part_sha256": sha256(part),
            "media_type": "video/mp4",
        }
        raw = canonical(self.envelope("blob", f"blob-{self.seq}", body | changes))
        headers = {"Sitewarden-Envelope": base64.b64encode(raw).decode(), "Sitewarden-Signature": self.sign(raw)}
        address = f"/v1/blobs/{(body | changes)['sha256']}"
        return self.read(self.client.put(address, content=part, headers=headers), raw)

    def ask_blob(self, digest: str) -> Answer:
        raw = canonical(self.envelope("blob_query", f"blob-{self.seq}", {"sha256": digest}))
        headers = {"Sitewarden-Envelope": base64.b64encode(raw).decode(), "Sitewarden-Signature": self.sign(raw)}
        return self.read(self.client.get(f"/v1/blobs/{digest}", headers=headers), raw)


def alarm_body(event_id: str, **changes: Any) -> dict[str, Any]:
    """An `alarm_transition` body as a box would send it."""
    body = {
        "event_id": event_id,
        "alarm_id": "alarm-1",
        "transition": "raised",
        "rule_id": "crane.moment.overload",
        "severity": "P1",
        "subject": "crane-1.moment_pct",
        "asset": "crane-1",
        "asset_kind": "tower-crane",
        "title_zh": "塔机力矩超载",
        "title_en": "Tower crane moment overload",
        "measured": "112.5",
        "limit": "100.0",
        "unit": "%",
        "limit_source": "national_code",
        "clause": "GB 5144-2006 6.2.2",
        "certainty": "M-H",
        "suspected": True,
        "observed_at_ns": 1_700_000_000_000_000_000,
        "raised_at_ns": 1_700_000_000_000_000_000,
        "user": "",
        "reason": "",
        "evidence_seq": 1,
        "evidence_sha256": "0" * 64,
        "project_code": "CONTRACT-1",
    }
    return body | changes
