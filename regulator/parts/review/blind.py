"""The blind second look: which items are judged twice, and how well two judgements agree.

One item in twenty, drawn by a digest of its id and a secret that all replicas share: the same item is drawn however
often it is asked, and nobody who knows an item's id can tell. The second reviewer is another person and gets an item
like any other: neither the first verdict nor the name is on it.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from regulator.base.model.actor import Scope
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.review import review_items, review_secrets
from regulator.parts.review.judgement import ItemState
from regulator.parts.review.statistics import Agreement, cohens_kappa

SAMPLE_PER_MILLE = 50
NAME = "second_look"
_SECRET = select(review_secrets.c.value).where(review_secrets.c.name == NAME)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two people said different things of one alarm. Who they were is not part of it."""

    item_id: str
    project_code: str
    rule_id: str
    first: str
    second: str
    judged_at_ns: int


def drawn(secret: str, item_id: str) -> bool:
    """Whether an item belongs to the sample."""
    digest = hmac.new(secret.encode(), item_id.encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big") * 1000 >> 64 < SAMPLE_PER_MILLE


def agreement(db: Connection, scope: Scope, from_ns: int) -> Agreement:
    """Of the items judged twice whose second verdict became final since `from_ns`."""
    rows = db.execute(_pairs(scope, from_ns))
    return cohens_kappa([(row.first, row.second) for row in rows])


def disagreements(db: Connection, scope: Scope, from_ns: int, limit: int = 50) -> list[Disagreement]:
    """What was judged differently, newest first."""
    pairs = _pairs(scope, from_ns).subquery()
    unlike = select(pairs).where(pairs.c.first != pairs.c.second).order_by(pairs.c.judged_at_ns.desc()).limit(limit)
    return [Disagreement(**row._mapping) for row in db.execute(unlike)]


def _pairs(scope: Scope, from_ns: int):  # type: ignore[no-untyped-def]  # a Select of six columns
    first, second = review_items.alias("first_look"), review_items.alias("second_look")
    same = (first.c.box_id == second.c.box_id) & (first.c.alarm_id == second.c.alarm_id)
    return (
        select(
            first.c.item_id,
            first.c.project_code,
            first.c.rule_id,
            first.c.verdict.label("first"),
            second.c.verdict.label("second"),
            second.c.judged_at_ns,
        )
        .join(second, same & (second.c.round == 2))
        .where(first.c.round == 1, first.c.state == ItemState.FINAL.value, second.c.state == ItemState.FINAL.value)
        .where(second.c.judged_at_ns >= from_ns, in_scope(scope, first.c.project_code))
    )


def sample_secret(db: Connection) -> str:
    """What the sample is drawn with, made when it is first asked for."""
    found = db.scalar(_SECRET)
    if found is not None:
        return str(found)
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    made = dialect.insert(review_secrets).values(name=NAME, value=secrets.token_hex(32))
    db.execute(made.on_conflict_do_nothing())
    return str(db.scalar(_SECRET))
