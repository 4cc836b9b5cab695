"""The one order in which transactions take rows that others wait for, so that no two wait for each other in a ring.

    boxes (by id)  -->  rows of the thing itself  -->  ledger heads (by chain)  -->  numbers of documents

An intake begins with its boxes: it holds them before an area hears of an item and writes into a project's ledger. So
whoever will post into a box's mailbox takes the boxes first, too, and whoever will take a document's number has the
project's ledger already. A list that is taken over (`registry.importing`) takes all that its lines will take at its
beginning, so that their order does not matter. SQLite has one writer, and needs none of this.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from regulator.base.records.tables.intake import boxes


def hold_boxes(db: Connection, project_codes: Iterable[str]) -> None:
    """Take every box of these projects, for this transaction, before anything else is taken."""
    codes = sorted(set(project_codes))
    if codes:
        mine = select(boxes.c.box_id).where(boxes.c.project_code.in_(codes))
        db.execute(mine.order_by(boxes.c.box_id).with_for_update()).all()
