"""Commands on alarms, devices and points: `POST`, with a user and a reason, each sealed before it is answered.

    /api/alarms/{alarm_id}/shelve | unshelve | reset                (acknowledge is in `gateway.web.api`)
    /api/alarms/{alarm_id}/note | false_alarm | withdraw_judgement | hand_over
    /api/subjects/{subject}/out_of_service | in_service             a device id or a point id

In: who, why, and for how long. Out: the number of the sealed record, or why not: 404 for what does not exist, 409 for
what the alarm table refuses, 422 for a request that says too little or too much. Guarded like the rest of the web face.
"""

import asyncio
from collections.abc import Awaitable
from typing import Annotated, Any

from fastapi import FastAPI, Request
from fastapi.responses import Response
from pydantic import Field, field_validator

from gateway.alarms import CommandError, Refusal
from gateway.line.commands import AlarmCommands
from gateway.model.alarm_note import FalseAlarmCause
from gateway.web.alarm_answers import SubjectCommandAnswer
from gateway.web.answer_fields import AlarmId, SubjectId
from gateway.web.api import KEPT_WITHIN_S, NOT_KEPT, AcknowledgeCommand, alarm_command
from gateway.web.reasons import MAX_REASON_CHARS, SAID_IN_LINES, clean_reason
from gateway.web.visitor import Role, require, user_of
from screens.answers import error_answer, json_answer
from screens.published import operation

REFUSED_ZH = {
    Refusal.NO_ALARM: "没有这个未关闭的报警",
    Refusal.NO_SUBJECT: "没有这个设备或测点",
    Refusal.ALREADY_ACKNOWLEDGED: "该报警已被确认",
    Refusal.STILL_ACTIVE: "报警条件仍然存在，不能复位",
    Refusal.NOT_LATCHED: "该报警不需要复位",
    Refusal.ACKNOWLEDGE_FIRST: "请先确认，再复位",
    Refusal.NEVER_P1: "P1 报警不允许搁置",
    Refusal.ALREADY_SHELVED: "该报警已被搁置",
    Refusal.NOT_SHELVED: "该报警没有被搁置",
    Refusal.IS_OUT_OF_SERVICE: "该设备或测点已停用",
    Refusal.NOT_OUT_OF_SERVICE: "该设备或测点没有停用",
    Refusal.TOO_LONG: "超过允许的最长时间",
    Refusal.SUPPRESSED: "该报警按设计被抑制，尚未发出",
    Refusal.ALREADY_FALSE: "该报警已被判为误报",
    Refusal.NOT_FALSE: "该报警没有被判为误报",
    Refusal.ALREADY_HANDED_OVER: "该报警已转隐患上报",
    Refusal.NO_REGULATOR: "本机未接入监管平台，无处上报",
    Refusal.P1_ALONE: "P1 报警须逐条确认，不允许批量确认",
}
STATUS = {Refusal.NO_ALARM: 404, Refusal.NO_SUBJECT: 404, Refusal.TOO_LONG: 422}


class TimedCommand(AcknowledgeCommand):
    """Who puts something aside, why, and for how long."""

    for_s: Annotated[float, Field(gt=0, le=31 * 86_400, allow_inf_nan=False)]
    """Seconds from now."""


class NoteCommand(AcknowledgeCommand):
    """Who notes what; a note may have lines."""

    reason: Annotated[str, Field(min_length=1, max_length=MAX_REASON_CHARS, pattern=SAID_IN_LINES)]

    @field_validator("reason")
    @classmethod
    def _clean(cls, reason: str) -> str:
        return clean_reason(reason, lines=True)


class FalseAlarmCommand(AcknowledgeCommand):
    """Who judges an alarm false, and why."""

    cause: FalseAlarmCause


def command_routes(app: FastAPI, commands: AlarmCommands) -> None:
    """Add the routes to the web face."""
    _alarm_routes(app, commands)
    _note_routes(app, commands)
    _service_routes(app, commands)


def _alarm_routes(app: FastAPI, commands: AlarmCommands) -> None:
    @app.post("/api/alarms/{alarm_id}/shelve", **alarm_command("Shelve an alarm for a while"))
    async def shelve(request: Request, alarm_id: AlarmId, command: TimedCommand) -> Response:
        user = _officer(request, command)
        return await _answer(commands.shelve(alarm_id, command.for_s, user, command.reason), {"alarm_id": alarm_id})

    @app.post("/api/alarms/{alarm_id}/unshelve", **alarm_command("End the shelving of an alarm"))
    async def unshelve(request: Request, alarm_id: AlarmId, command: AcknowledgeCommand) -> Response:
        user = _officer(request, command)
        return await _answer(commands.unshelve(alarm_id, user, command.reason), {"alarm_id": alarm_id})

    @app.post("/api/alarms/{alarm_id}/reset", **alarm_command("Reset a latched alarm"))
    async def reset(request: Request, alarm_id: AlarmId, command: AcknowledgeCommand) -> Response:
        user = _officer(request, command)
        return await _answer(commands.reset(alarm_id, user, command.reason), {"alarm_id": alarm_id})


def _note_routes(app: FastAPI, commands: AlarmCommands) -> None:
    @app.post("/api/alarms/{alarm_id}/note", **alarm_command("Add a note to an alarm"))
    async def note(request: Request, alarm_id: AlarmId, command: NoteCommand) -> Response:
        require(request, Role.SUPERVISOR)
        user = user_of(request, command.user)
        return await _answer(commands.note(alarm_id, user, command.reason), {"alarm_id": alarm_id})

    @app.post("/api/alarms/{alarm_id}/false_alarm", **alarm_command("Judge an alarm false"))
    async def false_alarm(request: Request, alarm_id: AlarmId, command: FalseAlarmCommand) -> Response:
        user = _officer(request, command)
        done = commands.false_alarm(alarm_id, command.cause, user, command.reason)
        return await _answer(done, {"alarm_id": alarm_id})

    @app.post(
        "/api/alarms/{alarm_id}/withdraw_judgement", **alarm_command("Withdraw the judgement that an alarm was false")
    )
    async def withdraw(request: Request, alarm_id: AlarmId, command: AcknowledgeCommand) -> Response:
        user = _officer(request, command)
        return await _answer(commands.withdraw_judgement(alarm_id, user, command.reason), {"alarm_id": alarm_id})

    @app.post("/api/alarms/{alarm_id}/hand_over", **alarm_command("Hand an alarm over to the regulator as a hazard"))
    async def hand_over(request: Request, alarm_id: AlarmId, command: AcknowledgeCommand) -> Response:
        user = _officer(request, command)
        return await _answer(commands.hand_over(alarm_id, user, command.reason), {"alarm_id": alarm_id})


def _service_routes(app: FastAPI, commands: AlarmCommands) -> None:
    @app.post("/api/subjects/{subject}/out_of_service", **_subject_command("Take a device or point out of service"))
    async def out_of_service(request: Request, subject: SubjectId, command: TimedCommand) -> Response:
        user = _officer(request, command)
        return await _answer(
            commands.out_of_service(subject, command.for_s, user, command.reason), {"subject": subject}
        )

    @app.post("/api/subjects/{subject}/in_service", **_subject_command("Put a device or point back into service"))
    async def in_service(request: Request, subject: SubjectId, command: AcknowledgeCommand) -> Response:
        user = _officer(request, command)
        return await _answer(commands.in_service(subject, user, command.reason), {"subject": subject})


def _subject_command(summary: str) -> dict[str, Any]:
    errors = NOT_KEPT | {404: "No device or point has this id", 409: "Its state does not allow this"}
    return operation("alarms", summary, SubjectCommandAnswer, errors)


def _officer(request: Request, command: AcknowledgeCommand) -> str:
    """Who gives an order that only the safety officer may give. Raises RefusedError."""
    require(request, Role.SAFETY_OFFICER)
    return user_of(request, command.user)


async def _answer(command: Awaitable[int], named: dict[str, str]) -> Response:
    """Carry the command out; it is answered once its record is on the disk."""
    (field,) = named
    try:
        async with asyncio.timeout(KEPT_WITHIN_S):
            seq = await asyncio.shield(command)
    except TimeoutError:
        return error_answer(503, "not_kept_yet", "操作尚未写入，请勿关闭设备", "carried out, not on the disk yet", "")
    except CommandError as error:
        status = STATUS.get(error.refusal, 409)
        field = "body.for_s" if error.refusal is Refusal.TOO_LONG else field
        return error_answer(status, error.refusal.value, REFUSED_ZH[error.refusal], str(error), field)
    return json_answer({**named, "evidence_seq": seq})
