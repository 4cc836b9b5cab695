"""The desk's signing key: read at the start, changed in two steps, never lost in silence.

    announce   a next key is made beside the present one; every box is told, signed with the present one
    use        once the boxes have it: the next key signs; the present one is put aside, what it signed still holds

A box believes only keys that it was told of by a key that it knew. So `use` waits until all have acknowledged, or
leaves behind, by name, those that have not: they enrol again. In: the database, the key's file. Out: keys, who knows
what.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, insert, select

from contract.canonical import Canonical
from contract.keyfile import load, load_or_create, write_durably
from contract.mailbox import KeyRotation
from contract.signing import ED25519, SignKey, require_algorithm
from regulator.base.intake import mailbox
from regulator.base.records.box_standing import IS_HEARD
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.key_history import (
    add_key,
    algorithms_in_use,
    change_key,
    key_in_use,
    known_keys,
    lock_keys,
    write_down,
)
from regulator.base.records.tables.intake import boxes
from regulator.base.records.tables.intake import mailbox as letters
from regulator.base.records.tables.keys import desk_key_tellings

log = logging.getLogger(__name__)
KEPT = "kept"


@dataclass(frozen=True, slots=True)
class KeyChange:
    """How a change stands. `behind`: boxes that do not know the next key yet. `done`: it is in use."""

    key_id: str
    boxes: int
    behind: tuple[str, ...]
    done: bool = False


def open_key(database: DeskDatabase, key_file: Path, now_ns: int, lost: str = "", signature: str = ED25519) -> SignKey:
    """The key to sign with; made at the very first start, of the algorithm `signature`. Replicas that start together
    read the same one.

    Raises ValueError when the file does not hold the key that this desk is known by: with `lost` (the reason) another
    one takes its place, and every box has to enrol again. Raises OSError.
    Raises MissingAlgorithmError, a ValueError too, when the desk knows a key, its own or a box's, that nothing here can
    check.
    """
    with database.transaction() as db:
        lock_keys(db)
        for alg in algorithms_in_use(db):
            require_algorithm(alg)
        expected = key_in_use(db)
        _finish_change(key_file, expected)
        if expected and not key_file.exists() and not lost:
            raise ValueError(f"{key_file}: missing; this desk signs with {expected}: restore it from the backup")
        key = load_or_create(key_file, signature)
        if expected in ("", key.public.key_id):
            if not expected:
                add_key(db, key.public, now_ns, in_use=True)
                write_down(db, key, "desk_key_in_use", key.public.key_id, {"before": ""}, now_ns)
            return key
        if not lost:
            raise ValueError(f"{key_file}: holds {key.public.key_id}, but this desk signs with {expected}")
        _take_over(db, key, expected, lost, now_ns)
        return key


def announce(database: DeskDatabase, key_file: Path, now_ns: int, signature: str = ED25519) -> KeyChange:
    """Make the next key, of the algorithm `signature`, and tell every box that was not told. Again and again: nothing
    is told twice. A box that does not know the algorithm says so, and stays `behind`."""
    with database.transaction() as db:
        lock_keys(db)
        present, following = _present(db, key_file), load_or_create(_next_file(key_file), signature)
        if following.public.key_id not in known_keys(db):
            add_key(db, following.public, now_ns, in_use=False)
            write_down(db, present, "desk_key_announced", following.public.key_id, _both(present, following), now_ns)
        mine = desk_key_tellings.c.key_id == following.public.key_id
        told = set(db.scalars(select(desk_key_tellings.c.box_id).where(mine)))
        missing = [box for box in _boxes(db) if box not in told]
    for box in missing:
        _tell(database, box, present, following, now_ns)
    return standing(database, key_file)


def standing(database: DeskDatabase, key_file: Path) -> KeyChange:
    """Who knows the next key. Raises ValueError when none was announced."""
    following = _following(key_file)
    at = letters.c
    heard = (
        select(desk_key_tellings.c.box_id)
        .join(letters, at.message_id == desk_key_tellings.c.message_id)
        .where(desk_key_tellings.c.key_id == following.public.key_id)
        .where(at.acknowledged_at_ns > 0, at.outcome == KEPT)
    )
    with database.reading() as db:
        everyone, know = _boxes(db), set(db.scalars(heard))
    return KeyChange(following.public.key_id, len(everyone), tuple(box for box in everyone if box not in know))


def use(database: DeskDatabase, key_file: Path, now_ns: int, *, leave_behind: bool = False) -> KeyChange:
    """Sign with the next key, unless boxes would be left behind. Replicas that run notice it
    (`regulator.base.keys.running_key`); what they sign with the old one until then holds. Raises ValueError when none
    was announced."""
    now = standing(database, key_file)
    if now.behind and not leave_behind:
        return announce(database, key_file, now_ns)
    with database.transaction() as db:
        lock_keys(db)
        present, following = _present(db, key_file), _following(key_file)
        change_key(db, present.public.key_id, following.public.key_id, now_ns)
        content = _both(present, following) | {"left_behind": list(now.behind)}
        write_down(db, following, "desk_key_in_use", following.public.key_id, content, now_ns)
    with database.transaction() as db:
        lock_keys(db)  # a replica that noticed may be at the files, too
        _finish_change(key_file, following.public.key_id)
    return KeyChange(now.key_id, now.boxes, now.behind, done=True)


def _both(present: SignKey, following: SignKey) -> dict[str, Canonical]:
    """Both keys sign the change; the entry that holds this is signed once more."""
    text = f"{present.public.key_id}:{following.public.key_id}"
    return {
        "before": present.public.key_id,
        "alg": following.public.alg,
        "public_key": following.public.public_text,
        "signed_text": text,
        "signed_by_old": present.sign(text.encode()),
        "signed_by_new": following.sign(text.encode()),
    }


def _tell(database: DeskDatabase, box_id: str, present: SignKey, following: SignKey, now_ns: int) -> None:
    public = following.public
    body = KeyRotation(rotation_id=public.key_id, whose="regulator", alg=public.alg, public_key=public.public_text)
    with database.transaction() as db:
        message_id = mailbox.post(db, box_id, "key_rotation", body, present, now_ns)
        row = {"key_id": public.key_id, "box_id": box_id, "message_id": message_id, "told_at_ns": now_ns}
        db.execute(insert(desk_key_tellings).values(**row))


def _take_over(db: Connection, key: SignKey, lost_id: str, reason: str, now_ns: int) -> None:
    if key.public.key_id not in known_keys(db):
        add_key(db, key.public, now_ns, in_use=False)
    change_key(db, lost_id, key.public.key_id, now_ns)
    write_down(db, key, "desk_key_lost", key.public.key_id, {"before": lost_id, "reason": reason}, now_ns)
    log.error("event=desk_key_lost before=%s now=%s reason=%r", lost_id, key.public.key_id, reason)


def _present(db: Connection, key_file: Path) -> SignKey:
    key, expected = load(key_file), key_in_use(db)
    if key.public.key_id != expected:
        raise ValueError(f"{key_file}: holds {key.public.key_id}, but this desk signs with {expected or 'no key yet'}")
    return key


def _following(key_file: Path) -> SignKey:
    following = _next_file(key_file)
    if not following.exists():
        raise ValueError(f"{following}: missing; announce a next key first")
    return load(following)


def _finish_change(key_file: Path, in_use: str) -> None:
    """Files follow the database: a crash between the two is made good at the next start."""
    following = _next_file(key_file)
    if not in_use or not following.exists() or load(following).public.key_id != in_use:
        return
    if key_file.exists():
        old = load(key_file)
        write_durably(key_file.with_name(f"{key_file.name}.{old.public.key_id.split(':')[-1]}"), old.pem())
    following.replace(key_file)


def _next_file(key_file: Path) -> Path:
    return key_file.with_name(f"{key_file.name}.next")


def _boxes(db: Connection) -> Sequence[str]:
    """Those that are heard: nobody waits for a box that was revoked."""
    return list(db.scalars(select(boxes.c.box_id).where(IS_HEARD).order_by(boxes.c.box_id)))
