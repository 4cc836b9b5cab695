"""The desk for programs: a login, hazards, coverage. Everything else that is JSON stands with its pages.

POST /api/login      a session, in the same cookie as a person's
POST /api/logout     it ends
GET  /api/session    who has logged in
GET  /api/hazards    a page of the list
GET  /api/coverage   the set on a day, project by project
"""

from datetime import date
from enum import Enum
from typing import Annotated, Final

from fastapi import FastAPI, Query, Request
from fastapi.responses import Response
from sqlalchemy import Connection, select

from regulator.base.accounts.model import Account, Seat
from regulator.base.accounts.passwords import Passwords
from regulator.base.accounts.second_factor import show
from regulator.base.accounts.sessions import Presence, end_session, log_in, whose
from regulator.base.coverage.ladder import Footing, Ladder
from regulator.base.coverage.standings import Standing, is_unknown, standing_of
from regulator.base.days import day_of
from regulator.base.desk import Desk
from regulator.base.model.refusals import RefusedError
from regulator.base.records.among import among
from regulator.base.records.tables.registry import projects
from regulator.base.web.account_login import caller_of, end_own
from regulator.base.web.pages import Pages
from regulator.base.web.session_cookie import give_token, take_token
from regulator.base.web.visitor import CODE_NEEDED, SET_UP_NEEDED, presence_of
from regulator.parts.hazards.board import PAGE, BoardCard, Filter, due_counts, find_hazards
from regulator.parts.overview.api_answers import (
    CoverageAnswer,
    HazardCounts,
    HazardQuery,
    HazardRow,
    HazardsAnswer,
    LadderRow,
    LoginCommand,
    LogoutAnswer,
    LogoutCommand,
    SeatFacts,
    SessionAnswer,
)
from screens.days import Day
from screens.published import Answer, operation
from screens.second_factor import Owes

AskedDay = Annotated[Day, Query(description="Empty: today, as it is now")]
LOGIN_ERRORS: Final = {
    401: "Wrong login, password or code, or a code is needed",
    429: "Too many failures: wait",
    503: "Too many at once",
}
NO_DAY: Final = {404: "Nothing was kept of this day"}


def program_api(desk: Desk, app: FastAPI, pages: Pages) -> None:
    """The routes."""
    passwords: Passwords = app.state.passwords
    _session(desk, app, passwords)
    _hazards(desk, app, pages)
    _coverage(desk, app, pages)


def _session(desk: Desk, app: FastAPI, passwords: Passwords) -> None:
    @app.post("/api/login", **operation("people", "Log in as a program", SessionAnswer, LOGIN_ERRORS))
    def login(request: Request, command: LoginCommand) -> Response:
        typed, caller = (command.login, command.password), caller_of(request)
        account, token = log_in(desk.database, desk.ledger, passwords, typed, caller, desk.now_ns())
        end_own(desk, request)
        with desk.database.reading() as db:
            presence = whose(db, token, desk.now_ns(), frozenset(desk.settings.second_factor_for))
        if presence is not None and presence.owes is not None:
            _show_code(desk, request, presence, command.code)
        answer = _answer(_told(account, presence.seat if presence else None))
        give_token(request, answer, token)
        return answer

    @app.post("/api/logout", **operation("people", "End this login", LogoutAnswer))
    def logout(request: Request, command: LogoutCommand) -> Response:  # noqa: ARG001 - JSON comes from no other site
        end_own(desk, request)
        answer = _answer(LogoutAnswer(ended=True))
        take_token(request, answer)
        return answer

    @app.get("/api/session", **operation("people", "Who has logged in", SessionAnswer))
    def session(request: Request) -> Response:
        presence = presence_of(request)
        return _answer(_told(presence.account, presence.seat))


def _show_code(desk: Desk, request: Request, presence: Presence, code: str) -> None:
    """A program shows password and code together. Raises RefusedError 401, 429; then there is no login."""
    try:
        if presence.owes is Owes.SET_UP:
            raise SET_UP_NEEDED
        if not code:
            raise CODE_NEEDED
        show(desk.database, desk.ledger, presence, code, caller_of(request), desk.now_ns())
    except RefusedError:
        with desk.database.transaction() as db:
            end_session(db, desk.ledger, presence.account, presence.session.session_id, desk.now_ns())
        raise


def _hazards(desk: Desk, app: FastAPI, pages: Pages) -> None:
    @app.get("/api/hazards", **operation("hazards", "Hazards of the scope", HazardsAnswer))
    def hazards(request: Request, asked: Annotated[HazardQuery, Query()]) -> Response:
        actor, now_ns = pages.actor(request), pages.now_ns()
        wanted = Filter(
            state=_word(asked.state),
            grade=_word(asked.grade),
            channel=_word(asked.channel),
            kind=_word(asked.kind),
            due=_word(asked.due),
            project=asked.project,
            region=asked.region,
            before=asked.before,
        )
        with desk.database.reading() as db:
            found, counts = find_hazards(db, actor, wanted, now_ns), due_counts(db, actor, now_ns)
        more = found[PAGE - 1].hazard.hazard_id if len(found) > PAGE else ""
        told = HazardCounts(overdue=counts.overdue, today=counts.today, week=counts.week, listed=counts.listed)
        return _answer(HazardsAnswer(hazards=[_hazard(card) for card in found[:PAGE]], counts=told, next=more))


def _coverage(desk: Desk, app: FastAPI, pages: Pages) -> None:
    @app.get("/api/coverage", **operation("coverage", "How much of the set is covered", CoverageAnswer, NO_DAY))
    def coverage(request: Request, day: AskedDay = "") -> Response:
        actor, now_ns = pages.actor(request), pages.now_ns()
        asked = date.fromisoformat(day) if day else day_of(now_ns)
        with desk.database.reading() as db:
            found = standing_of(db, desk.set_code, actor.scope, asked, now_ns, desk.settings.silent_box_s)
            if found is None:
                words = ("该日没有存档", f"nothing was kept of {asked.isoformat()}")
                raise RefusedError(404, "no_such_day", *words, "day")
            names = _names(db, found)
        return _answer(_covered(found, names))


def _answer(said: Answer) -> Response:
    return Response(said.model_dump_json(by_alias=True), media_type="application/json")


def _told(account: Account, seat: Seat | None) -> SessionAnswer:
    facts = None
    if seat is not None:
        duties = sorted(seat.actor.duties, key=lambda duty: duty.value)
        facts = SeatFacts(level=seat.actor.scope.level, code=seat.actor.scope.code, duties=duties)
    return SessionAnswer(login=account.login, name=account.name, must_change=bool(account.must_change), seat=facts)


def _word(chosen: Enum | None) -> str:
    return "" if chosen is None else str(chosen.value)


def _hazard(card: BoardCard) -> HazardRow:
    found = card.hazard
    return HazardRow(
        hazard_id=found.hazard_id,
        number=found.number,
        project_code=found.project_code,
        project_name=card.project_name,
        channel=found.channel,
        kind=found.kind,
        grade=found.grade,
        state=found.state,
        title_zh=found.title_zh,
        title_en=found.title_en,
        rule_id=found.rule_id,
        box_id=found.box_id,
        alarm_id=found.alarm_id,
        observed_at_ns=found.observed_at_ns,
        opened_at_ns=found.opened_at_ns,
        due_at_ns=found.due_at_ns or None,
        closed_at_ns=found.closed_at_ns or None,
        due=card.due,
        work_stopped=found.is_stopped,
    )


def _names(db: Connection, found: Standing) -> dict[str, str]:
    at = projects.c
    return {
        row[0]: row[1]
        for row in db.execute(select(at.project_code, at.name).where(among(at.project_code, found.ladders)))
    }


def _covered(found: Standing, names: dict[str, str]) -> CoverageAnswer:
    return CoverageAnswer(
        day=found.day.isoformat(),
        frozen=found.frozen,
        projects=len(found.ladders),
        covered=found.covered,
        unknown=found.unknown,
        percent=found.headline if found.ladders else None,
        on_rung={rung.value: many for rung, many in found.on_rung.items()},
        ladders=[_ladder(code, names.get(code, code), ladder) for code, ladder in found.ladders.items()],
    )


def _ladder(code: str, name: str, ladder: Ladder) -> LadderRow:
    stop = ladder.stopped_at
    return LadderRow(
        project_code=code,
        project_name=name,
        reached=ladder.reached.value,
        stopped_at=stop.rung.value if stop else None,
        footing=stop.footing if stop else Footing.YES,
        unknown=is_unknown(ladder),
        reason_zh=stop.zh if stop else "",
        reason_en=stop.en if stop else "",
    )
