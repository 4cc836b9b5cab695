"""Open orders follow the box that a project's orders are assigned to: another one was admitted, or the one was revoked.

    order of box A, assigned now: box B --> B gets the same message, A (where it is heard) is told that it is withdrawn

In: what stands in the tables, every minute. Out: messages, an entry of the ledger for each order. Each project is one
transaction that looks again, so that two replicas do it once.
"""

import json
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from contract.mailbox import Order, OrderState
from regulator.base.desk import Desk
from regulator.base.model.actor import SYSTEM
from regulator.base.model.hazard_states import HazardState
from regulator.base.records.box_standing import IS_HEARD, box_for_orders
from regulator.base.records.ledger import Deed
from regulator.base.records.locks import hold_boxes
from regulator.base.records.tables.hazards import hazard_orders, hazards
from regulator.base.records.tables.intake import boxes, mailbox
from regulator.parts.hazards.orders import SILENT

OVER: Final = (HazardState.CLOSED.value, HazardState.REJECTED.value)


class OrdersFollow:
    """`run` is a job."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def run(self, now_ns: int) -> None:
        """Every project with an order that lies at another box than its orders go to."""
        with self._desk.database.reading() as db:
            found = {row.project_code for row in _strays(db)}
        for project_code in sorted(found):
            with self._desk.database.transaction() as db:
                hold_boxes(db, [project_code])
                for row in _strays(db, project_code):
                    self._hand_over(db, row, now_ns)

    def _hand_over(self, db: Connection, row: "Row[Any]", now_ns: int) -> None:
        signed = db.scalar(select(mailbox.c.signed).where(mailbox.c.message_id == row.message_id))
        if signed is None:
            return
        order = Order.model_validate(json.loads(json.loads(signed)["text"])["body"])
        message_id = self._desk.post(db, row.assigned, "order", order, now_ns)
        if db.scalar(select(boxes.c.box_id).where(boxes.c.box_id == row.box_id, IS_HEARD)):
            said = f"已转至监控主机 {row.assigned} moved to box {row.assigned}"
            gone = OrderState(order_id=row.order_id, state="withdrawn", words=said, changed_at_ns=now_ns)
            self._desk.post(db, row.box_id, "order_state", gone, now_ns)
        mine = hazard_orders.c.order_id == row.order_id
        db.execute(update(hazard_orders).where(mine).values(box_id=row.assigned, message_id=message_id, seen_at_ns=0))
        content = {"order_id": row.order_id, "from": row.box_id, "to": row.assigned}
        deed = Deed("order_handed_over", row.hazard_id, content, row.project_code)
        self._desk.ledger.append(db, deed, SYSTEM, now_ns)


def _strays(db: Connection, project_code: str = "") -> "list[Row[Any]]":
    """Orders that the site has to answer, of hazards that are not over, in their order; `assigned`: where they go."""
    at = hazard_orders.c
    assigned = box_for_orders(at.project_code).scalar_subquery()
    wanted = (
        select(at.order_id, at.hazard_id, at.project_code, at.box_id, at.message_id, assigned.label("assigned"))
        .join(hazards, hazards.c.hazard_id == at.hazard_id)
        .where(at.message_id != "", at.kind.not_in([kind.value for kind in SILENT]))
        .where(hazards.c.state.not_in(OVER), assigned != at.box_id)
    )
    if project_code:
        wanted = wanted.where(at.project_code == project_code)
    return list(db.execute(wanted.order_by(at.issued_at_ns, at.order_id)))
