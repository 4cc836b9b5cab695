"""Findings: what the desk noticed by itself (silence, gaps, contradictions, strange keys), open ones first.

GET  /findings?project=&kind=&closed=1       those of the scope
POST /findings/{finding_id}/close      a person closes one, with a reason; the ledger keeps who and why

A finding about no project (a project's chain is then the intake's own) is shown to the province only.
"""

from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import ColumnElement, Connection, select

from regulator.base.desk import Desk
from regulator.base.intake.findings import close_finding
from regulator.base.model.actor import Actor, Duty, Level
from regulator.base.model.refusals import RefusedError
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.intake import findings
from regulator.base.web.forms import Form
from regulator.base.web.pages import Pages

CLOSERS: Final = (Duty.REVIEWER, Duty.APPROVER)
PAGE: Final = 200
LONGEST_REASON: Final = 500
NO_SUCH: Final = RefusedError(404, "no_such_finding", "没有此条发现", "no such finding in your scope", "finding_id")


def add_finding_pages(desk: Desk, app: FastAPI, pages: Pages) -> None:
    """Add the routes of these pages to the application."""

    @app.get("/findings")
    def listed(request: Request, project: str = "", kind: str = "", closed: str = "") -> Response:
        """The page with what the intake has noticed about boxes."""
        actor = pages.actor(request)
        with desk.database.reading() as db:
            found = _found(db, actor, project, kind, with_closed=bool(closed))
        known: dict[str, Any] = {
            "project": project,
            "kind": kind,
            "closed": closed,
            "found": found[:PAGE],
            "more": len(found) > PAGE,
        }
        return pages.render(request, "finding_list.html", may_close=actor.has(*CLOSERS), **known)

    @app.post("/findings/{finding_id}/close")
    def close(request: Request, finding_id: str, form: Form) -> Response:
        """Close a finding, with the words of who looked."""
        actor, because = pages.actor(request, *CLOSERS), form["because"].strip()
        if not 2 <= len(because) <= LONGEST_REASON:
            words = (f"请填写 2 至 {LONGEST_REASON} 字的理由", f"a reason of 2 to {LONGEST_REASON} characters")
            raise RefusedError(422, "reason_needed", *words, "because")
        with desk.database.transaction() as db:
            mine = select(findings.c.finding_id).where(findings.c.finding_id == finding_id, _visible(actor))
            if db.scalar(mine) is None:
                raise NO_SUCH
            if not close_finding(db, desk.ledger, finding_id, because, desk.now_ns(), actor):
                raise RefusedError(
                    409, "closed_already", "此条发现已关闭", "this finding is closed already", "finding_id"
                )
        return RedirectResponse("/findings", 303)


def _found(db: Connection, actor: Actor, project: str, kind: str, *, with_closed: bool) -> list[Any]:
    at = findings.c
    wanted = select(findings).where(_visible(actor))
    if project:
        wanted = wanted.where(at.project_code == project)
    if kind:
        wanted = wanted.where(at.kind == kind)
    if not with_closed:
        wanted = wanted.where(at.closed_at_ns == 0)
    order = wanted.order_by((at.closed_at_ns > 0), at.opened_at_ns.desc(), at.finding_id)
    return list(db.execute(order.limit(PAGE + 1)))


def _visible(actor: Actor) -> "ColumnElement[bool]":
    mine = in_scope(actor.scope, findings.c.project_code)
    return mine | (findings.c.project_code == "") if actor.level is Level.PROVINCE else mine
