"""Forms about alarms: each form is one command, sealed before the page is shown again.

    POST /alarms/{id}/acknowledge                                         SUPERVISOR
    POST /alarms/{id}/note                                                SUPERVISOR
    POST /alarms/{id}/false_alarm | withdraw_judgement | hand_over        SAFETY_OFFICER
    POST /alarms/{id}/shelve | unshelve | reset                           SAFETY_OFFICER
    POST /alarms/acknowledge              several at once, never a P1     SUPERVISOR
    POST /alarms/service/out | in         a device or a point             SAFETY_OFFICER

In: forms (csrf, who, why). Out: 303 back to a page that says what was done; or the same page again, status 4xx, with
what was wrong and all that was typed. Nothing deletes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final
from urllib.parse import urlencode, urlsplit

from fastapi import FastAPI
from fastapi.responses import RedirectResponse, Response
from starlette.requests import Request

from gateway.alarms import CommandError, Refusal
from gateway.line.commands import AlarmCommands
from gateway.model.alarm_note import FalseAlarmCause
from gateway.web.alarm_desk import AlarmDesk
from gateway.web.alarm_page import alarm_page_routes, detail
from gateway.web.alarm_view import Tab
from gateway.web.alarms_page import AS_IT_IS, Shown, alarms_routes, lists
from gateway.web.api import KEPT_WITHIN_S
from gateway.web.command_routes import REFUSED_ZH, STATUS
from gateway.web.pages import Pages
from gateway.web.reasons import ReasonError, chosen_reason, clean_name, clean_reason, one_of_several
from gateway.web.visitor import RefusedError, Role, require, visitor_of
from screens.addresses import local_path
from screens.formats import local_time

MOST_TOGETHER: Final = 100
Fields = Mapping[str, str]
Act = Callable[[AlarmCommands, str, str, Fields], Awaitable[int]]
NOT_KEPT: Final = 503, "not_kept_yet", "操作尚未写入，请勿关闭设备", "carried out, not on the disk yet"


def alarm_routes(app: FastAPI, pages: Pages, desk: AlarmDesk) -> None:
    """Add S2, S3 and their forms. Paths with a fixed second part come before those of one alarm."""
    alarms_routes(app, pages, desk)
    _service_routes(app, pages, desk)
    _together_route(app, pages, desk)
    _form_routes(app, pages, desk)
    alarm_page_routes(app, pages, desk)


def _form_routes(app: FastAPI, pages: Pages, desk: AlarmDesk) -> None:

    @app.post("/alarms/{alarm_id}/{name}")
    async def one(request: Request, alarm_id: str, name: str) -> Response:
        found = FORMS.get(name)
        if found is None:
            raise RefusedError(404, "no_such_page", "没有这个地址或方法", "no such address")
        act, done = found
        fields = await pages.form(request)
        try:
            await _kept(act(desk.commands, alarm_id, _user(request, fields), fields))
        except ReasonError as error:
            fault = _said(pages, request, error.message_zh, error.message_en)
            return await detail(request, pages, desk, alarm_id, Shown(422, fault, name, fields))
        except CommandError as error:
            return await _refused(request, pages, desk, alarm_id, error, (name, fields))
        return RedirectResponse(_back(fields.get("back", ""), f"/alarms/{alarm_id}", done), 303)


async def _acknowledge(commands: AlarmCommands, alarm_id: str, user: str, fields: Fields) -> int:
    reason = chosen_reason(fields.get("reason_preset", ""), fields.get("reason", ""))
    return await commands.acknowledge(alarm_id, user, reason)


async def _note(commands: AlarmCommands, alarm_id: str, user: str, fields: Fields) -> int:
    return await commands.note(alarm_id, user, clean_reason(fields.get("reason", ""), lines=True))


async def _false_alarm(commands: AlarmCommands, alarm_id: str, user: str, fields: Fields) -> int:
    wanted = fields.get("cause", "")
    if wanted not in set(FalseAlarmCause):
        raise ReasonError("cause", "请选择误报原因", "choose why it was false")
    return await commands.false_alarm(alarm_id, FalseAlarmCause(wanted), user, _reason(fields))


async def _withdraw(commands: AlarmCommands, alarm_id: str, user: str, fields: Fields) -> int:
    return await commands.withdraw_judgement(alarm_id, user, _reason(fields))


async def _hand_over(commands: AlarmCommands, alarm_id: str, user: str, fields: Fields) -> int:
    return await commands.hand_over(alarm_id, user, _reason(fields))


async def _shelve(commands: AlarmCommands, alarm_id: str, user: str, fields: Fields) -> int:
    return await commands.shelve(alarm_id, _seconds(fields), user, _reason(fields))


async def _unshelve(commands: AlarmCommands, alarm_id: str, user: str, fields: Fields) -> int:
    return await commands.unshelve(alarm_id, user, _reason(fields))


async def _reset(commands: AlarmCommands, alarm_id: str, user: str, fields: Fields) -> int:
    return await commands.reset(alarm_id, user, _reason(fields))


FORMS: Final[Mapping[str, tuple[Act, str]]] = {
    "acknowledge": (_acknowledge, "acknowledged"),
    "note": (_note, "noted"),
    "false_alarm": (_false_alarm, "service"),
    "withdraw_judgement": (_withdraw, "service"),
    "hand_over": (_hand_over, "handed_over"),
    "shelve": (_shelve, "service"),
    "unshelve": (_unshelve, "service"),
    "reset": (_reset, "service"),
}
"""Form -> what it does, what the next page says."""


def _together_route(app: FastAPI, pages: Pages, desk: AlarmDesk) -> None:
    @app.post("/alarms/acknowledge")
    async def together(request: Request) -> Response:
        require(request, Role.SUPERVISOR)
        fields = await pages.form(request)
        chosen = [value for value in (await request.form()).getlist("alarm_id") if isinstance(value, str)]
        alarm_ids = list(dict.fromkeys(chosen))
        tab = Tab(fields["tab"]) if fields.get("tab") in set(Tab) else Tab.UNACKNOWLEDGED
        try:
            done = await _acknowledge_all(request, desk, alarm_ids, fields)
        except ReasonError as error:
            fault = _said(pages, request, error.message_zh, error.message_en)
            return lists(request, pages, desk, tab, Shown(422, fault, typed=fields, picked=alarm_ids))
        except CommandError as error:
            fault = _said(pages, request, REFUSED_ZH[error.refusal], str(error))
            status = STATUS.get(error.refusal, 409)
            return lists(request, pages, desk, tab, Shown(status, fault, typed=fields, picked=alarm_ids))
        return RedirectResponse(f"/alarms?{urlencode({'tab': tab, 'done': done})}", 303)


async def _acknowledge_all(request: Request, desk: AlarmDesk, alarm_ids: Sequence[str], fields: Fields) -> str:
    """All of them or, where one may not go with others, none. Those that somebody else has acknowledged meanwhile are
    left as they are."""
    if not 0 < len(alarm_ids) <= MOST_TOGETHER:
        raise ReasonError("alarm_id", f"请选择 1 至 {MOST_TOGETHER} 条报警", f"select 1 to {MOST_TOGETHER} alarms")
    reason = chosen_reason(fields.get("reason_preset", ""), fields.get("reason", ""))
    user = _user(request, fields)
    desk.commands.check_together(alarm_ids)
    reason = one_of_several(reason, len(alarm_ids))
    doing = [_kept(desk.commands.acknowledge(alarm_id, user, reason)) for alarm_id in alarm_ids]
    outcomes = await asyncio.gather(*doing, return_exceptions=True)
    failed = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    for outcome in failed:
        if not isinstance(outcome, CommandError):
            raise outcome
    if len(failed) == len(alarm_ids):
        raise failed[0]
    return "some_together" if failed else "together"


def _service_routes(app: FastAPI, pages: Pages, desk: AlarmDesk) -> None:
    @app.get("/alarms/service")
    async def service(request: Request) -> Response:
        require(request, Role.SAFETY_OFFICER)
        return _service_page(request, pages, desk, request.query_params.get("subject", ""))

    @app.post("/alarms/service/{way}")
    async def change(request: Request, way: str) -> Response:
        require(request, Role.SAFETY_OFFICER)
        fields = await pages.form(request)
        subject = fields.get("subject", "")
        try:
            user, reason = _user(request, fields), _reason(fields)
            if way == "out":
                await _kept(desk.commands.out_of_service(subject, _seconds(fields), user, reason))
            else:
                await _kept(desk.commands.in_service(subject, user, reason))
        except (ReasonError, CommandError) as error:
            known = error.message_zh if isinstance(error, ReasonError) else REFUSED_ZH[error.refusal]
            english = error.message_en if isinstance(error, ReasonError) else str(error)
            status = STATUS.get(error.refusal, 409) if isinstance(error, CommandError) else 422
            said = _said(pages, request, known, english)
            put_back = "" if way == "out" else subject
            return _service_page(request, pages, desk, put_back, Shown(status, said, typed=fields))
        return RedirectResponse("/alarms?tab=out_of_service&done=service", 303)


def _service_page(request: Request, pages: Pages, desk: AlarmDesk, subject: str, shown: Shown = AS_IT_IS) -> Response:
    services = desk.listing(Tab.OUT_OF_SERVICE, 1).services
    found = next((service for service in services if service["subject"] == subject), None)
    values = {"service": found, "subjects": desk.subjects(), "guide": desk.guide()}
    said = {"fault": shown.fault, "typed": shown.typed}
    return pages.render(request, "alarm_service.html", shown.status, **values, **said)


async def _kept(command: Awaitable[int]) -> int:
    """Carried out and on the disk. Raises RefusedError when the disk keeps us waiting."""
    try:
        async with asyncio.timeout(KEPT_WITHIN_S):
            return await asyncio.shield(command)
    except TimeoutError:
        raise RefusedError(*NOT_KEPT) from None


async def _refused(
    request: Request, pages: Pages, desk: AlarmDesk, alarm_id: str, error: CommandError, form: tuple[str, Fields]
) -> Response:
    """The alarm's page says why not; what another person did a moment ago is on the disk by then."""
    name, fields = form
    row = desk.row(alarm_id)
    status = STATUS.get(error.refusal, 409)
    chinese = REFUSED_ZH[error.refusal]
    alarm = desk.commands.alarm(alarm_id)
    if row is None or alarm is None:
        raise RefusedError(status, error.refusal.value, chinese, str(error), "alarm_id")
    fault = _said(pages, request, chinese, str(error).partition(": ")[2] or str(error))
    if name == "acknowledge" and alarm.acknowledged:
        status, by, at = 409, alarm.acknowledged_by, local_time(alarm.acknowledged_at_ns)
        fault = pages.text(request, "This alarm was already acknowledged by %(user)s at %(time)s.", user=by, time=at)
    elif error.refusal is Refusal.NO_ALARM:
        status, fault = 409, pages.text(request, "This alarm is closed. You can only add a note.")
    return await detail(request, pages, desk, alarm_id, Shown(status, fault, name, fields))


def _user(request: Request, fields: Fields) -> str:
    visitor = visitor_of(request)
    return visitor.name if visitor.person else clean_name(fields.get("user", ""))


def _reason(fields: Fields) -> str:
    return clean_reason(fields.get("reason", ""))


def _seconds(fields: Fields) -> float:
    wanted = fields.get("for_s", "")
    if not (wanted.isascii() and wanted.isdecimal() and len(wanted) <= 9 and int(wanted) > 0):
        raise ReasonError("for_s", "请选择时长", "choose for how long")
    return float(wanted)


def _said(pages: Pages, request: Request, chinese: str, english: str) -> str:
    return english if pages.language(request) == "en" else chinese


def _back(wanted: str, otherwise: str, done: str) -> str:
    """The page that asked, saying what was done."""
    path = local_path(wanted) if wanted else otherwise
    parts = urlsplit(path)
    kept = [pair for pair in parts.query.split("&") if pair and not pair.startswith("done=")]
    return f"{parts.path}?{'&'.join([*kept, f'done={done}'])}"
