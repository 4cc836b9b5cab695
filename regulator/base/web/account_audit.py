"""What was done by whom, for auditors and those who keep accounts: the ledger within their scope.

GET /audit?kind=&person=&project=&subject=&from=&until=&after=&format=
"""

import json
from datetime import timedelta
from itertools import islice
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.responses import Response

from regulator.base.accounts.audit import AuditEntry, AuditFilter, Place, audit_entries, audit_kinds
from regulator.base.desk import Desk
from regulator.base.documents.exports import Column, Table
from regulator.base.model.actor import Duty
from regulator.base.model.refusals import RefusedError
from regulator.base.web.pages import Pages
from regulator.base.web.table_answer import table_answer, wanted_format
from screens.days import day_begins_ns, typed_day
from screens.formats import local_day_time

PAGE = 100
MOST_ROWS = 100_000
FIELDS = ("kind", "person", "project", "subject", "from", "until")
COLUMNS = (
    Column("at", "时间", "time", "", "Beijing time"),
    Column("kind", "行为", "deed"),
    Column("person", "人员", "person"),
    Column("user_id", "账号编号", "user id"),
    Column("on_behalf_of", "代", "on behalf of", "", "user id of who was on leave"),
    Column("project_code", "项目编号", "project"),
    Column("subject", "对象", "subject"),
    Column("content", "内容", "content", "", "JSON"),
    Column("chain", "链", "chain"),
    Column("seq", "序号", "number in the chain"),
    Column("sha256", "记录校验值", "entry hash", "", "SHA-256 of the entry as signed"),
)


def audit_routes(desk: Desk, app: FastAPI, pages: Pages) -> None:
    """The page and its download."""

    @app.get("/audit")
    def audit(request: Request) -> Response:
        actor = pages.actor(request, Duty.AUDITOR, Duty.ADMINISTRATOR)
        wanted, export = _filter(request), wanted_format(request)
        after = _place(request.query_params.get("after", ""))
        with desk.database.reading() as db:
            found = audit_entries(db, actor, wanted, after, MOST_ROWS if export else PAGE + 1)
            kinds = [] if export else audit_kinds(db)
        if export:
            return table_answer(request, Table("audit", COLUMNS, (_row(entry) for entry in found)))
        typed = {name: request.query_params.get(name, "") for name in FIELDS}
        more = urlencode(typed | {"after": _word(found[PAGE - 1].place)}) if len(found) > PAGE else ""
        shown = list(islice(found, PAGE))
        return pages.render(request, "account_audit.html", found=shown, more=more, typed=typed, kinds=kinds)


def _filter(request: Request) -> AuditFilter:
    asked = request.query_params
    until_ns = _day_ns(asked.get("until", ""), "until", days=1)
    exact = {name: asked.get(name, "").strip()[:200] for name in ("kind", "person", "project", "subject")}
    return AuditFilter(**exact, from_ns=_day_ns(asked.get("from", ""), "from"), until_ns=until_ns)


def _day_ns(typed: str, field: str, days: int = 0) -> int:
    if not typed.strip():
        return 0
    day = typed_day(typed)
    if day is None:
        words = ("日期应为 年-月-日", f"expected a date such as 2026-03-01, found {typed[:20]!r}")
        raise RefusedError(422, "bad_date", *words, field)
    return day_begins_ns(day + timedelta(days=days))


def _word(place: Place) -> str:
    return f"{place.at_ns}~{place.seq}~{place.chain}"


def _place(word: str) -> Place | None:
    if not word:
        return None
    at_ns, _, rest = word.partition("~")
    seq, _, chain = rest.partition("~")
    if not (_whole(at_ns) and _whole(seq)):
        raise RefusedError(422, "bad_place", "翻页位置无效", "no such place in the list", "after")
    return Place(int(at_ns), chain, int(seq))


def _whole(text: str) -> bool:
    """A number that fits the database's columns."""
    return text.isdecimal() and len(text) < 20 and int(text) < 2**63


def _row(entry: AuditEntry) -> tuple[str | int, ...]:
    return (
        local_day_time(entry.place.at_ns),
        entry.kind,
        entry.person,
        entry.user_id,
        entry.on_behalf_of,
        entry.project_code,
        entry.subject,
        json.dumps(entry.content, ensure_ascii=False, sort_keys=True),
        entry.place.chain,
        entry.place.seq,
        entry.sha256,
    )
