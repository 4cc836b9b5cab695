"""Where papers are kept and sealed: each version goes to the office's file, then its digest into the chain.

    body --> office.db --> chain (sha256, stage, who) --> answered
                  |
                  +-- a kill here: the version is there and not sealed; whoever asks for the paper next seals it

A version whose bytes are not those that were sealed, and one that was sealed and is gone, is damage: it is said, and
nothing more is written to that paper. In: bodies from the safety log and the handover. Out: kept versions. Judges no
text. One paper at a time.
"""

import asyncio
import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from contract.canonical import Canonical, canonical_bytes
from gateway.evidence.evidence import RecordKind
from gateway.line.recorder import Entry, Recorder
from gateway.model.errors import StoreError
from gateway.parts.shift.paper_store import PaperRow, PaperStore
from gateway.ports import Clock
from gateway.store.alarm_reader import AlarmReader

log = logging.getLogger(__name__)


class PaperDamagedError(StoreError):
    """A kept paper is not what was sealed."""


class OvertakenError(Exception):
    """Somebody else has written to the paper since it was opened; `newest` is what they kept."""

    def __init__(self, newest: "KeptPaper") -> None:
        self.newest = newest
        super().__init__(f"{newest.about}: {newest.user} has written to it since")


@dataclass(frozen=True, slots=True)
class KeptPaper:
    """One version: `content` is its body read back; `seq` is the record that seals it."""

    about: str
    stage: str
    kept_at_ns: int
    user: str
    sha256: str
    body: bytes
    content: Mapping[str, Any]
    seq: int


@dataclass(frozen=True, slots=True)
class NewVersion:
    """What is to be kept. `based_on` is how many versions the writer had seen; None asks for no such check.

    `may` sees every version there is and raises what it has to say against one more.
    """

    kind: RecordKind
    about: str
    stage: str
    user: str
    content: Mapping[str, Canonical]
    based_on: int | None = None
    may: Callable[[Sequence[KeptPaper]], None] = lambda _versions: None


class PaperDesk:
    """Keeps the papers of shifts, and finds them again."""

    def __init__(self, store: PaperStore, chain: AlarmReader, recorder: Recorder, clock: Clock) -> None:
        self._store = store
        self._chain = chain
        self._recorder = recorder
        self._clock = clock
        self._turn = asyncio.Lock()

    async def versions(self, kind: RecordKind, about: str) -> list[KeptPaper]:
        """Every version of a paper, oldest first, found as it was sealed. Raises PaperDamagedError."""
        async with self._turn:
            return await self._sealed(kind, about)

    async def add(self, new: NewVersion) -> KeptPaper:
        """Keep one more version; done once it is sealed, whoever stops waiting.

        Raises OvertakenError, PaperDamagedError, StoreError, and what `new.may` raises.
        """
        return await asyncio.shield(asyncio.create_task(self._add(new)))

    async def _add(self, new: NewVersion) -> KeptPaper:
        async with self._turn:
            there = await self._sealed(new.kind, new.about)
            if new.based_on is not None and there and len(there) != new.based_on:
                raise OvertakenError(there[-1])
            new.may(there)
            at_ns = self._clock.now_ns()
            body = canonical_bytes(dict(new.content) | {"stage": new.stage, "user": new.user, "kept_at_ns": at_ns})
            row = PaperRow(new.about, new.stage, at_ns, new.user, hashlib.sha256(body).hexdigest(), body)
            await asyncio.wrap_future(self._store.add(row))
            return await self._seal(new.kind, row)

    async def _sealed(self, kind: RecordKind, about: str) -> list[KeptPaper]:
        """The versions, each with its record; what a kill left unsealed is sealed now."""
        rows, seals = await asyncio.to_thread(self._read, about)
        _compare(about, rows, seals)
        kept = []
        for number, row in enumerate(rows):
            sealed = number < len(seals)
            kept.append(_kept(row, seals[number][1]) if sealed else await self._seal(kind, row))
        return kept

    def _read(self, about: str) -> tuple[list[PaperRow], list[tuple[str, int]]]:
        """In a thread: the rows, and (digest, number) of the records, both oldest first. The chain is asked first: what
        is sealed was kept before."""
        records = self._chain.about(about)
        seals = [(str(orjson.loads(record.body)["content"]["sha256"]), record.seq) for record in records]
        return self._store.versions(about), seals

    async def _seal(self, kind: RecordKind, row: PaperRow) -> KeptPaper:
        content: dict[str, Canonical] = {
            "filed_under": row.about,
            "stage": row.stage,
            "user": row.user,
            "sha256": row.sha256,
            "bytes": len(row.body),
        }
        record = await self._recorder.record(Entry(kind, self._clock.now_ns(), content, about=row.about))
        log.info("event=paper_sealed about=%s stage=%s seq=%d", row.about, row.stage, record.seq)
        return _kept(row, record.seq)


def _compare(about: str, rows: Sequence[PaperRow], seals: Sequence[tuple[str, int]]) -> None:
    """Raises PaperDamagedError when the file and the chain disagree."""
    for row in rows:
        if hashlib.sha256(row.body).hexdigest() != row.sha256:
            raise PaperDamagedError(f"{about}: a version is not the one that was kept")
    missing = Counter(digest for digest, _ in seals) - Counter(row.sha256 for row in rows)
    if missing:
        raise PaperDamagedError(f"{about}: {missing.total()} sealed versions are gone")
    if [row.sha256 for row in rows[: len(seals)]] != [digest for digest, _ in seals]:
        raise PaperDamagedError(f"{about}: a version stands where it was not sealed")


def _kept(row: PaperRow, seq: int) -> KeptPaper:
    content = orjson.loads(row.body)
    return KeptPaper(row.about, row.stage, row.kept_at_ns, row.user, row.sha256, row.body, content, seq)
