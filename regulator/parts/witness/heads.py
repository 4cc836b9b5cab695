"""The head of the day: one digest of how far every chain of the ledger had come, kept where the desk cannot reach.

    head n:  canonical JSON { number, day, at_ns, prev, chains: [[chain, seq, sha256], ...] }
             prev    SHA-256 of head n - 1 (64 zeros at first)
             chains  the end of each chain that moved since head n - 1

The ledger is hash-chained and signed, but whoever rules the desk's machine has its key, too: he can write another
ledger and sign it. He cannot change what was printed, or stamped by somebody else, before. A head proves the ledger up
to its day, and by `prev` every head before it.

In: the ledger inside a transaction. Out: heads; faults where the ledger no longer agrees with one.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select

from contract.canonical import Canonical, canonical_bytes
from contract.chain import GENESIS, record_digest
from regulator.base.model.actor import SYSTEM
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.tables.ledger import ledger_entries, ledger_heads
from regulator.base.records.tables.witness import witness_heads
from screens.formats import local_day

CHAIN: Final = "desk:heads"
HEAD_PUBLISHED: Final = "head_published"
CODE_DIGITS: Final = 24
"""Of the digest, as printed: 96 bits."""


@dataclass(frozen=True, slots=True)
class Head:
    """One day's. `chains`: how many moved; `body`: the bytes that the digest is of."""

    number: int
    day: str
    at_ns: int
    chains: int
    sha256: str
    body: str

    @property
    def code(self) -> str:
        """What is printed and typed again: the digest's first 24 digits in groups of four."""
        return spaced(self.sha256[:CODE_DIGITS])


@dataclass(frozen=True, slots=True)
class HeadFault:
    """A place where a head and the ledger disagree."""

    at: str
    text_zh: str
    text_en: str


def spaced(digits: str) -> str:
    """The digits in groups of four, as people compare them."""
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))


def typed_code(text: str) -> str:
    """The digits of a code as somebody typed it; empty when it is none (24 hexadecimal digits at least)."""
    digits = "".join(letter for letter in text.lower() if letter not in " -\t\u3000")
    whole = CODE_DIGITS <= len(digits) <= 64 and all(letter in "0123456789abcdef" for letter in digits)
    return digits if whole else ""


def publish_head(db: Connection, ledger: Ledger, now_ns: int) -> Head | None:
    """Today's, once: None when it is there, or when the ledger is empty. Two replicas wait for each other here."""
    ledger.hold(db, CHAIN)
    last = newest_head(db)
    day = local_day(now_ns)
    if db.scalar(select(witness_heads.c.number).where(witness_heads.c.day == day)) is not None:
        return None
    moved = _moved(db)
    if not moved:
        return None
    number, prev = (last.number + 1, last.sha256) if last is not None else (1, GENESIS)
    chains: list[Canonical] = [[chain, seq, sha256] for chain, seq, sha256 in moved]
    body = canonical_bytes({"number": number, "day": day, "at_ns": now_ns, "prev": prev, "chains": chains})
    head = Head(number, day, now_ns, len(moved), record_digest(body), body.decode())
    row = {name: getattr(head, name) for name in Head.__slots__}
    db.execute(insert(witness_heads), row)
    said: dict[str, Canonical] = {"number": number, "day": day, "chains": head.chains, "sha256": head.sha256}
    ledger.append(db, Deed(HEAD_PUBLISHED, day, said, chain=CHAIN), SYSTEM, now_ns)
    return head


def newest_head(db: Connection) -> Head | None:
    """The newest head of the ledger, None before the first."""
    row = db.execute(select(witness_heads).order_by(witness_heads.c.number.desc()).limit(1)).first()
    return _head(row) if row is not None else None


def newest_heads(db: Connection, limit: int) -> list[Head]:
    """All of them, the newest first."""
    rows = db.execute(select(witness_heads).order_by(witness_heads.c.number.desc()).limit(limit))
    return [_head(row) for row in rows]


def head_of(db: Connection, number: int) -> Head | None:
    """The head of the ledger that has this number."""
    row = db.execute(select(witness_heads).where(witness_heads.c.number == number)).first()
    return _head(row) if row is not None else None


def head_with(db: Connection, code: str) -> Head | None:
    """The one whose digest begins with a typed code."""
    digits = typed_code(code)
    at = witness_heads.c
    row = db.execute(select(witness_heads).where(at.sha256.startswith(digits))).first() if digits else None
    return _head(row) if row is not None else None


def heads(db: Connection) -> Iterator[Head]:
    """All, oldest first, one at a time."""
    last = 0
    while (row := db.execute(_after(last)).first()) is not None:
        yield _head(row)
        last = row.number


def head_faults(db: Connection) -> Iterator[HeadFault]:
    """Heads that are gone or changed, and entries that a head names and the ledger no longer has."""
    told, prev = _told(db), GENESIS
    named: dict[str, dict[int, tuple[str, str]]] = {}
    for head in heads(db):
        fault, chains = _read(head, prev)
        if told.pop(head.number, "") != head.sha256:
            fault = fault or "the ledger names another digest"
        if fault:
            en = f"head {head.number} of {head.day} does not hold: {fault}"
            yield HeadFault(f"head {head.number}", f"第 {head.number} 期（{head.day}）台账日摘要不成立", en)
        for chain, seq, sha256 in chains:
            named.setdefault(chain, {})[seq] = sha256, head.day
        prev = head.sha256
    for number in sorted(told):
        yield HeadFault(f"head {number}", f"第 {number} 期台账日摘要已被删除", f"head {number} of the ledger is gone")
    for chain, entries in sorted(named.items()):
        yield from _missing(db, chain, entries)


def _told(db: Connection) -> dict[int, str]:
    """Digests of heads by number, as the ledger says itself."""
    at = ledger_entries.c
    bodies = db.scalars(select(at.body).where(at.chain == CHAIN, at.kind == HEAD_PUBLISHED))
    said = (json.loads(body)["content"] for body in bodies)
    return {content["number"]: content["sha256"] for content in said}


def _missing(db: Connection, chain: str, entries: dict[int, tuple[str, str]]) -> Iterator[HeadFault]:
    at = ledger_entries.c
    found = select(at.seq, at.sha256).where(at.chain == chain, at.seq <= max(entries))
    there = {row.seq: row.sha256 for row in db.execute(found)}
    for seq, (sha256, day) in sorted(entries.items()):
        if there.get(seq) != sha256:
            zh = f"{day} 的台账日摘要证明台账 {chain} 曾有第 {seq} 条，现已缺失或被改"
            en = f"the head of {day} proves that entry {seq} of ledger {chain} was there; it is gone or changed"
            yield HeadFault(f"{chain} {seq}", zh, en)
            return


def _read(head: Head, prev: str = "") -> tuple[str, list[tuple[str, int, str]]]:
    """What does not fit in a head, empty when all does; the ends that it names. `prev` empty: not asked for."""
    if record_digest(head.body.encode()) != head.sha256:
        return "the body does not match its digest", []
    try:
        said = json.loads(head.body)
        place = (said["number"], said["day"], said["prev"])
        chains = [(str(chain), int(seq), str(sha256)) for chain, seq, sha256 in said["chains"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "the body is not a head", []
    fits = place == (head.number, head.day, prev or place[2])
    return "" if fits else "it names another number, day or head before it", chains


def _moved(db: Connection) -> list[tuple[str, int, str]]:
    """Ends of chains that no head names yet."""
    known: dict[str, int] = {}
    for head in heads(db):
        known |= {chain: seq for chain, seq, _ in _read(head)[1]}
    at = ledger_heads.c
    rows = db.execute(select(ledger_heads).where(at.seq > 0).order_by(at.chain))
    return [(row.chain, row.seq, row.sha256) for row in rows if row.seq != known.get(row.chain, 0)]


def _after(number: int) -> Any:
    at = witness_heads.c
    return select(witness_heads).where(at.number > number).order_by(at.number).limit(1)


def _head(row: "Row[Any]") -> Head:
    return Head(**{name: getattr(row, name) for name in Head.__slots__})
