"""`POST /api/reload`: a person asks the box to read its site file again. Guarded like every command of the web face.

In: a user and a reason. Out: what changed and the record that holds it, or every reason why it was refused.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import orjson
from fastapi import FastAPI, Request
from fastapi.responses import Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from gateway.model.errors import Fault
from gateway.settings import fault_text
from gateway.web.office_answers import ReloadAnswer, ReloadRefusedAnswer
from gateway.web.reasons import SAID
from gateway.web.visitor import user_of
from screens.published import operation

KEPT_WITHIN_S = 10.0
_NOT_KEPT = {503: "The reload goes on, but its record is not on the disk yet"}
_REFUSED = {
    409: (ReloadRefusedAnswer, "A change needs a restart; the running settings stay"),
    422: (ReloadRefusedAnswer, "The file or the request has faults; the running settings stay"),
}


@dataclass(slots=True)
class ConfigState:
    """What the box runs by, and whether the file still says so. The last refusal left `faults` or `needs_restart`."""

    file: str
    digest: str
    loaded_at_ns: int
    differs_from_file: bool = False
    refused_at_ns: int = 0
    faults: Sequence[Fault] = ()
    needs_restart: Sequence[str] = ()

    def row(self) -> dict[str, Any]:
        """For the health page."""
        return {
            "file": self.file,
            "digest": self.digest,
            "loaded_at_ns": self.loaded_at_ns,
            "differs_from_file": self.differs_from_file,
            "message_zh": "运行中的配置与文件不一致" if self.differs_from_file else "",
            "message_en": "running config differs from file" if self.differs_from_file else "",
            "refused_at_ns": self.refused_at_ns,
            "faults": fault_rows(self.faults),
            "needs_restart": list(self.needs_restart),
        }


@dataclass(frozen=True, slots=True)
class ReloadOutcome:
    """What came of a reload. Refused when there are `faults` or `needs_restart`; `evidence_seq` 0: nothing changed."""

    faults: Sequence[Fault] = ()
    needs_restart: Sequence[str] = ()
    evidence_seq: int = 0
    changes: dict[str, Any] = field(default_factory=dict)


class ReloadCommand(BaseModel):
    """Who asks for it, and why."""

    model_config = ConfigDict(extra="forbid")

    user: Annotated[str, Field(min_length=1, max_length=64, pattern=SAID), AfterValidator(str.strip)]
    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=SAID), AfterValidator(str.strip)]


def reload_route(app: FastAPI, reload: Callable[[str, str], Awaitable[ReloadOutcome]]) -> None:
    """Add the command to the box's application."""

    @app.post("/api/reload", **operation("box", "Read the site file again", ReloadAnswer, _NOT_KEPT, also=_REFUSED))
    async def reload_config(request: Request, command: ReloadCommand) -> Response:
        try:
            async with asyncio.timeout(KEPT_WITHIN_S):
                outcome = await reload(user_of(request, command.user), command.reason)
        except TimeoutError:
            texts = ("重新加载尚未完成，请勿关闭设备", "the reload goes on, but its record is not on the disk yet")
            return _refused(503, "not_kept_yet", texts, {})
        if outcome.faults:
            texts = ("新配置有错误，继续使用原配置", "the file has faults; the running settings stay")
            return _refused(422, "config_refused", texts, {"faults": fault_rows(outcome.faults)})
        if outcome.needs_restart:
            names = ", ".join(outcome.needs_restart)
            texts = (f"{names} 的更改需要重启", f"a change of {names} needs a restart; the running settings stay")
            return _refused(409, "needs_restart", texts, {"sections": list(outcome.needs_restart)})
        body = {"changed": bool(outcome.changes), "evidence_seq": outcome.evidence_seq, "changes": outcome.changes}
        return Response(orjson.dumps(body), media_type="application/json")


def fault_rows(faults: Sequence[Fault]) -> list[dict[str, Any]]:
    """Faults for JSON, in both languages."""
    return [
        {
            "file": fault.file,
            "line": fault.line,
            "key": fault.key,
            "text_zh": fault_text(fault, "zh"),
            "text_en": fault_text(fault, "en"),
        }
        for fault in faults
    ]


def _refused(status: int, code: str, texts: tuple[str, str], details: dict[str, Any]) -> Response:
    error = {"code": code, "message_zh": texts[0], "message_en": texts[1], "field": ""} | details
    return Response(orjson.dumps({"error": error}), status, media_type="application/json")
