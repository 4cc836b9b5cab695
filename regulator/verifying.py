"""`sitewarden desk FILE verify`: everything that the desk holds is looked at once more, while it runs or not.

    boxes     every item, receipt, chain record, anchor and file, as the hourly recheck looks at what came lately;
              rows that are gone though they had receipts
    ledger    every chain: digests, links, signatures, its head
    heads     the head of each day against the ledger, its time stamps, and codes that were printed

In: settings, codes. Out: a JSON line a fault, one with the counts, exit code 1 when there are faults. Changes nothing;
what is found here becomes no finding: the hourly recheck and the day's head make those.
"""

import json
from collections.abc import Iterator, Sequence

from sqlalchemy import func, select

from contract.chain import ChainFault
from regulator.base.desk import Desk
from regulator.base.intake.building import open_shelf
from regulator.base.intake.recheck import recheck_all
from regulator.base.records.key_history import public_keys
from regulator.base.records.ledger import verify_ledger
from regulator.base.records.tables.intake import boxes, items
from regulator.base.records.tables.ledger import ledger_heads
from regulator.base.records.tables.witness import witness_heads, witness_stamps
from regulator.base.settings import DeskSettings
from regulator.parts.witness.heads import head_faults, head_with
from regulator.parts.witness.office import stamp_faults, time_stamper
from regulator.running import open_desk

Said = dict[str, str]


def verify_desk(settings: DeskSettings, codes: Sequence[str] = ()) -> int:
    """Look at all of it. `codes`: of heads that were printed. Raises OSError, ValueError or SQLAlchemy's errors."""
    desk = open_desk(settings)
    try:
        faults = 0
        for said in (*_boxes(desk), *_ledger(desk), *_heads(desk), *_printed(desk, codes)):
            faults += 1
            print(json.dumps(said, ensure_ascii=False), flush=True)
        print(json.dumps({"faults": faults, **_counts(desk)}), flush=True)
    finally:
        desk.database.close()
    return 1 if faults else 0


def _boxes(desk: Desk) -> Iterator[Said]:
    for found in recheck_all(desk.database, desk.key, open_shelf(desk.settings)):
        for each in found:
            yield {"fault": str(each.kind), "at": each.subject, "zh": each.words_zh, "en": each.words_en}


def _ledger(desk: Desk) -> Iterator[Said]:
    with desk.database.reading() as db:
        keys = public_keys(db, desk.key)
        for chain in db.scalars(select(ledger_heads.c.chain).order_by(ledger_heads.c.chain)).all():
            end = verify_ledger(db, chain, keys)
            if isinstance(end, ChainFault):
                zh, en = (
                    f"台账 {chain} 第 {end.seq} 条不成立",
                    f"ledger {chain} does not hold at {end.seq}: {end.reason}",
                )
                yield {"fault": "ledger", "at": f"{chain} {end.seq}", "zh": zh, "en": en}


def _heads(desk: Desk) -> Iterator[Said]:
    stamper = time_stamper(desk.settings.witness)
    with desk.database.reading() as db:
        for fault in (*head_faults(db), *(() if stamper is None else stamp_faults(db, stamper))):
            yield {"fault": "head", "at": fault.at, "zh": fault.text_zh, "en": fault.text_en}


def _printed(desk: Desk, codes: Sequence[str]) -> Iterator[Said]:
    with desk.database.reading() as db:
        for code in codes:
            if head_with(db, code) is None:
                zh, en = "没有台账日摘要使用此校验码", "no head of the ledger has this code"
                yield {"fault": "head", "at": code, "zh": zh, "en": en}


def _counts(desk: Desk) -> dict[str, int]:
    with desk.database.reading() as db:
        counted = {"boxes": boxes, "items": items, "ledger_chains": ledger_heads}
        counted |= {"heads": witness_heads, "stamps": witness_stamps}
        return {name: int(db.scalar(select(func.count()).select_from(table)) or 0) for name, table in counted.items()}
