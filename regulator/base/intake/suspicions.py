"""What a refusal makes suspicious: the finding that names the box, in words for people.

A refused sender is not identified: what it says of itself is a claim, and the words say so. Known is only who signed
what was refused for its content, for its number or for its code.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from contract.envelope import Envelope
from contract.faults import (
    BadSignature,
    CodeRefused,
    ConflictingBody,
    ContractFault,
    DigestMismatch,
    OtherProject,
    QuotaReached,
    SequenceTooFar,
    StaleSequence,
    UnknownSender,
)
from contract.sender import Claim
from regulator.base.intake.codes import Asker, Why, code_digest, why_refused
from regulator.base.intake.findings import Finding, FindingKind
from regulator.base.records.tables.intake import box_keys, boxes, codes

MOST_NAMED = 200
DAILY = frozenset(
    {
        FindingKind.OTHER_PROJECT,
        FindingKind.SEQUENCE_JUMP,
        FindingKind.CODE_REFUSED,
        FindingKind.RETIRED_KEY,
        FindingKind.OVER_QUOTA,
    }
)
"""What somebody who holds a key or a code can say without end: one finding a box and day, with a count."""
_PROJECT = select(boxes.c.project_code).where(boxes.c.box_id == bindparam("box"))


@dataclass(frozen=True, slots=True)
class _Words:
    kind: FindingKind
    zh: str
    en: str


WORDS: Mapping[type[ContractFault], _Words] = {
    BadSignature: _Words(
        FindingKind.BAD_SIGNATURE,
        "自称监控主机 {box} 的报文签名不符",
        "a message in the name of {box} has a signature that does not fit",
    ),
    OtherProject: _Words(
        FindingKind.OTHER_PROJECT,
        "监控主机 {box} 登记于项目 {project}，却以其他项目名义报送，已拒收：{what}",
        "{box} is enrolled for {project} but speaks for another project, and is refused: {what}",
    ),
    SequenceTooFar: _Words(
        FindingKind.SEQUENCE_JUMP,
        "监控主机 {box} 的报文序号跳跃过大，已拒收",
        "a message of {box} has a number that is far too high, and is refused",
    ),
    StaleSequence: _Words(
        FindingKind.REPLAYED,
        "监控主机 {box} 的报文序号已使用过",
        "a message of {box} has a number that was used before",
    ),
    ConflictingBody: _Words(
        FindingKind.CONFLICTING_BODY,
        "监控主机 {box} 以同一键发送了不同内容",
        "{box} sent another content under a key that is held",
    ),
    QuotaReached: _Words(
        FindingKind.OVER_QUOTA,
        "监控主机 {box} 上传的文件未被任何报文引用且已达配额，新文件暂不接收",
        "{box} has sent as many files as it may that no message names: new ones have to wait",
    ),
    DigestMismatch: _Words(
        FindingKind.BLOB_DIGEST,
        "监控主机 {box} 的内容与其摘要不符",
        "bytes of {box} do not have the digest they claim",
    ),
}
"""The first class that fits counts."""


def project_of(db: Connection, box_id: str) -> str | None:
    """The project that a box is enrolled for; None for a box that is not."""
    return db.scalar(_PROJECT, {"box": box_id})


def finding_of(
    db: Connection, fault: ContractFault, claim: Claim, envelope: Envelope | None, now_ns: int
) -> Finding | None:
    """What a person should look at; None where nothing is suspicious, or no box is meant that is known here.
    `envelope`: None where only the claim was read."""
    if isinstance(fault, CodeRefused):
        return _refused_code(db, envelope, now_ns) if envelope is not None else None
    project = project_of(db, claim.box_id)
    if project is None:
        return None
    if isinstance(fault, UnknownSender):
        return _strange_key(db, claim, project)
    words = next((words for kind, words in WORDS.items() if isinstance(fault, kind)), None)
    if words is None:
        return None
    named = {"box": claim.box_id, "project": project, "what": _what_it_names(envelope, fault.field)}
    zh, en = words.zh.format(**named), words.en.format(**named)
    return Finding(words.kind, claim.box_id, zh, en, project, claim.box_id)


def _what_it_names(envelope: Envelope | None, field: str) -> str:
    """The kind of the message and what stood in the field that was refused, as the sender spelt it."""
    if envelope is None:
        return ""
    return f"{envelope.kind} {str(envelope.body.get(field.removeprefix('body.'), ''))[:MOST_NAMED]}".strip()


def _refused_code(db: Connection, envelope: Envelope, now_ns: int) -> Finding | None:
    """A code that was issued, brought by somebody who may not use it: the box that it is for may be the one that is
    refused. A code that nobody issued says nothing of any box."""
    project = str(envelope.body.get("project_code", ""))[:MOST_NAMED]
    digest = code_digest(str(envelope.body.get("code", "")))
    row = db.execute(select(codes).where(codes.c.code_sha256 == digest)).first()
    why = why_refused(row, Asker(envelope.box_id, project, envelope.key_id), now_ns) or Why.REVOKED
    if row is None or not row.project_code:
        return None
    zh = (
        f"监控主机 {row.box_id}（项目 {row.project_code}）的登记码被拒：{why.zh}。"
        f"来者自称 {envelope.box_id}（项目 {project}）"
    )
    en = (
        f"a code for {row.box_id} of {row.project_code} was refused: {why.en}. "
        f"Whoever brought it calls itself {envelope.box_id} of {project}"
    )
    return Finding(FindingKind.CODE_REFUSED, row.box_id, zh, en, row.project_code, row.box_id)


def _strange_key(db: Connection, claim: Claim, project: str) -> Finding:
    box_id, key_id, at = claim.box_id, claim.key_id, box_keys.c
    asked = select(at.box_id).where(at.key_id == key_id).order_by((at.box_id != box_id), at.box_id)
    owner = db.scalar(asked.limit(1))
    if owner == box_id:
        zh = f"有报文以监控主机 {box_id} 已停用的密钥发送：已被吊销，或另一密钥取代了它"
        en = f"a message of {box_id} uses a key that is retired: it was revoked, or another key took its place"
        return Finding(FindingKind.RETIRED_KEY, box_id, zh, en, project, box_id)
    if owner is None:
        zh = f"自称监控主机 {box_id} 的报文使用了未登记的密钥 {key_id}"
        en = f"a message in the name of {box_id} uses a key it never enrolled, {key_id}"
        return Finding(FindingKind.FOREIGN_KEY, box_id, zh, en, project, box_id)
    zh = f"自称监控主机 {box_id} 的报文使用了监控主机 {owner} 的密钥"
    en = f"a message in the name of {box_id} uses the key of {owner}"
    return Finding(FindingKind.FOREIGN_KEY, f"{box_id}<{owner}", zh, en, project, box_id)
