"""One-time enrolment codes: what they look like, for whom they are, whether one may be used.

    issued for one box of one project --> spent once, by that box
                                      '-> revoked by a person, or by a newer code for the same box
                                      '-> expired, a day after it was issued at the latest

Only the digest of a code is kept: who did not note it down has to issue another. Every code that is issued or revoked
is an entry of its project's ledger. In: transactions of whoever may do it. Out: codes, once. Knows no page.
"""

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from contract.canonical import Canonical
from regulator.base.model.actor import Actor
from regulator.base.records.among import among
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.many import insert_rows
from regulator.base.records.tables.intake import codes

ALPHABET: Final = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
"""Nothing that looks like something else: no I, L, O, U, 0, 1. A person types a code from a sheet of paper."""
GROUPS, LETTERS = 5, 5
MOST_HOURS: Final = 24
HOUR_NS: Final = 3_600_000_000_000


class Why(Enum):
    """Why an enrolment code is refused by the desk."""

    UNKNOWN = ("未签发过", "it was never issued")
    OTHER_BOX = ("签发给另一台监控主机", "it was issued for another box")
    OTHER_PROJECT = ("签发给另一个项目", "it was issued for another project")
    SPENT = ("已被另一密钥使用", "another key has used it")
    REVOKED = ("已吊销", "it was revoked")
    EXPIRED = ("已过期", "it has expired")

    def __init__(self, zh: str, en: str) -> None:
        self.zh, self.en = zh, en


@dataclass(frozen=True, slots=True)
class Wanted:
    """For whom a code is to be."""

    project_code: str
    box_id: str


@dataclass(frozen=True, slots=True)
class Issued:
    """A code as it is told, once."""

    project_code: str
    box_id: str
    code: str
    expires_at_ns: int


@dataclass(frozen=True, slots=True)
class Asker:
    """Who brings a code: what the box says it is, and the key that it signs with."""

    box_id: str
    project_code: str
    key_id: str


def new_code() -> str:
    """Some 122 random bits, in groups that can be read aloud."""
    letters = [secrets.choice(ALPHABET) for _ in range(GROUPS * LETTERS)]
    return "-".join("".join(letters[at : at + LETTERS]) for at in range(0, len(letters), LETTERS))


def code_digest(code: str) -> str:
    """What is kept of a code. Case, spaces and hyphens do not matter."""
    bare = "".join(code.split()).replace("-", "").upper()
    return hashlib.sha256(b"sitewarden-enrol:" + bare.encode("utf-8", "surrogatepass")).hexdigest()


def issue_codes(
    db: Connection, ledger: Ledger, wanted: Sequence[Wanted], actor: Actor, now_ns: int, hours: float = MOST_HOURS
) -> list[Issued]:
    """A new code for each box, in their order; what was open for the same box is worth nothing any more.

    `hours`: how long they live, at most `MOST_HOURS`.
    """
    expires_at_ns = now_ns + int(min(hours, MOST_HOURS) * HOUR_NS)
    issued = [Issued(each.project_code, each.box_id, new_code(), expires_at_ns) for each in wanted]
    keep_codes(db, ledger, issued, actor, now_ns)
    return issued


def keep_codes(db: Connection, ledger: Ledger, issued: Sequence[Issued], actor: Actor, now_ns: int) -> None:
    """Make these codes valid, and write the ledger's entry."""
    revoke_open_codes(db, ledger, [each.box_id for each in issued], "有新的登记码 a newer code", actor, now_ns)
    persons = json.dumps(sorted(actor.persons))
    said = {"issued_at_ns": now_ns, "issued_by": persons, "issued_name": actor.name}
    rows: list[dict[str, object]] = [
        {"code_sha256": code_digest(each.code), "box_id": each.box_id, "project_code": each.project_code}
        | {"expires_at_ns": each.expires_at_ns}
        | said
        for each in issued
    ]
    insert_rows(db, codes, rows)
    deeds = [_deed("code_issued", row, {"expires_at_ns": row["expires_at_ns"]}) for row in rows]
    ledger.append_all(db, deeds, actor, now_ns)


def revoke_open_codes(
    db: Connection, ledger: Ledger, box_ids: Sequence[str], because: str, actor: Actor, now_ns: int
) -> int:
    """Those of these boxes that nobody has used; how many there were."""
    at = codes.c
    asked = select(codes).where(among(at.box_id, box_ids), *is_open(now_ns))
    rows = [dict(row._mapping) for row in db.execute(asked.order_by(at.code_sha256).with_for_update())]
    mine = among(at.code_sha256, [str(row["code_sha256"]) for row in rows])
    if rows:
        db.execute(update(codes).where(mine).values(revoked_at_ns=now_ns))
        ledger.append_all(db, [_deed("code_revoked", row, {"reason": because}) for row in rows], actor, now_ns)
    return len(rows)


def is_open(now_ns: int) -> tuple[Any, ...]:
    """What is true of codes that may still be used."""
    at = codes.c
    return at.used_at_ns == 0, at.revoked_at_ns == 0, at.expires_at_ns > now_ns


def why_refused(row: "Row[Any] | None", asker: Asker, now_ns: int) -> Why | None:
    """None for a code that this box may use now, and for one that it has used: its reply was lost."""
    if row is None:
        return Why.UNKNOWN
    if row.box_id != asker.box_id:
        return Why.OTHER_BOX
    if row.project_code != asker.project_code:
        return Why.OTHER_PROJECT
    if row.used_by:
        return None if row.used_key_id == asker.key_id else Why.SPENT
    if row.revoked_at_ns:
        return Why.REVOKED
    return Why.EXPIRED if row.expires_at_ns <= now_ns else None


def _deed(kind: str, row: "dict[str, Any]", content: "dict[str, Any]") -> Deed:
    said: dict[str, Canonical] = {"box_id": row["box_id"], "code_sha256": row["code_sha256"], **content}
    return Deed(kind, row["box_id"], said, row["project_code"])
