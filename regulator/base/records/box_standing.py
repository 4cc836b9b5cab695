"""Which boxes are heard, and which box of a project its orders go to."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select

from regulator.base.records.tables.intake import boxes

IS_HEARD = (boxes.c.waiting == 0) & (boxes.c.revoked_at_ns == 0)
"""True for boxes that may speak: admitted and not revoked."""


def assigned_box(db: Connection, project_code: str) -> str:
    """The box that orders go to: the newest assigned of those that are heard. Empty where there is none."""
    return db.scalar(box_for_orders(project_code)) or ""


def box_for_orders(project_code: "ColumnElement[str] | str") -> "Select[Any]":
    """The same as a question, also about a column of an outer one."""
    at = boxes.c
    mine = select(at.box_id).where(at.project_code == project_code, IS_HEARD)
    return mine.order_by(at.assigned_at_ns.desc(), at.enrolled_at_ns, at.box_id).limit(1)
