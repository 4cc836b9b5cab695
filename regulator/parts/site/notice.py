"""A permit or a warning as it is entered at the desk, checked before anything is written.

In: texts and times of a form. Out: the contract's message, or a RefusedError that names the field. Pure.
"""

import secrets
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pydantic import ValidationError

from contract.mailbox import WeatherWarning, WorkPermit
from contract.messages import DownModel
from regulator.base.model.refusals import RefusedError

LONGEST_NS = 31 * 86_400 * 1_000_000_000
"""What lasts longer than a month is a mistyped year. A product default."""
MOST_LABEL = 200
MOST_WORDS = 2000


class NoticeKind(Enum):
    """What is told, as the mailbox calls it."""

    PERMIT = "work_permit"
    WARNING = "weather_warning"


@dataclass(frozen=True, slots=True)
class Notice:
    """One version of one permit or warning, as it was entered."""

    notice_id: str
    version: int
    kind: NoticeKind
    message: WorkPermit | WeatherWarning

    @property
    def withdrawn(self) -> bool:
        """Whether this version ends what the earlier ones allowed."""
        return self.message.withdrawn


def new_permit(fields: dict[str, Any]) -> Notice:
    """A permit by the form's fields. Raises RefusedError 422."""
    for name in ("number", "holder", "issued_by"):
        _filled(fields, name)
    if fields.get("work") == "hot_work":
        _filled(fields, "place")
        fields = fields | {"asset": ""}
    else:
        _filled(fields, "asset")
    _lengths(fields, ("number", "holder", "issued_by", "place", "asset"), MOST_LABEL)
    _lengths(fields, ("reason",), MOST_WORDS)
    return _made(NoticeKind.PERMIT, "permit_id", WorkPermit, fields)


def new_warning(fields: dict[str, Any]) -> Notice:
    """A warning by the form's fields. Raises RefusedError 422."""
    _filled(fields, "source")
    _lengths(fields, ("source",), MOST_LABEL)
    _lengths(fields, ("words",), MOST_WORDS)
    return _made(NoticeKind.WARNING, "warning_id", WeatherWarning, fields)


def withdrawal_of(notice: Notice) -> Notice:
    """The version that ends it. Raises RefusedError 409 when it has ended so already."""
    if notice.withdrawn:
        raise RefusedError(409, "withdrawn_already", "已撤销", "it is withdrawn already")
    changes = {"version": notice.version + 1, "withdrawn": True}
    return Notice(notice.notice_id, notice.version + 1, notice.kind, notice.message.model_copy(update=changes))


def read_notice(notice_id: str, version: int, kind: str, body: str) -> Notice:
    """One version as it is kept."""
    found = NoticeKind(kind)
    model: type[WorkPermit] | type[WeatherWarning] = WorkPermit if found is NoticeKind.PERMIT else WeatherWarning
    return Notice(notice_id, version, found, model.model_validate_json(body))


def _made(kind: NoticeKind, id_name: str, model: type[DownModel], fields: dict[str, Any]) -> Notice:
    _span(fields["valid_from_ns"], fields["valid_until_ns"])
    notice_id = f"desk-{kind.value}-{secrets.token_hex(8)}"
    try:
        message = model.model_validate(fields | {id_name: notice_id, "version": 1, "withdrawn": False})
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0])
        raise RefusedError(422, "bad_choice", "所填内容不符合要求", error.errors()[0]["msg"], field) from None
    assert isinstance(message, WorkPermit | WeatherWarning)
    return Notice(notice_id, 1, kind, message)


def _filled(fields: dict[str, Any], name: str) -> None:
    if not str(fields.get(name, "")).strip():
        raise RefusedError(422, "missing", "此项必填", "this must be filled in", name)


def _lengths(fields: dict[str, Any], names: tuple[str, ...], most: int) -> None:
    for name in names:
        text = str(fields.get(name, ""))
        if len(text) > most:
            raise RefusedError(422, "too_long", f"最多 {most} 字", f"at most {most} characters", name)
        if any(ord(character) < 32 and character not in "\t\r\n" for character in text):
            raise RefusedError(422, "control_character", "含有控制字符", "expected no control characters", name)


def _span(from_ns: int, until_ns: int) -> None:
    if until_ns <= from_ns:
        raise RefusedError(422, "span_backwards", "结束须晚于开始", "it must end after it begins", "valid_until")
    if until_ns - from_ns > LONGEST_NS:
        raise RefusedError(422, "span_too_long", "有效期最长31天", "at most 31 days", "valid_until")
