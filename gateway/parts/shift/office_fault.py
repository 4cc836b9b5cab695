"""What can go wrong with a paper, as a status and words in both languages: the page is shown again with what was typed.

In: what the office raises. Out: a `Fault`. Anything else is not a person's mistake and is raised on.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.model.errors import StoreError
from gateway.parts.shift.free_text import MAX_CHARACTERS, TextTooLongError
from gateway.parts.shift.handover import HandedAlreadyError, NotHandedError, NotYoursError, SamePersonError
from gateway.parts.shift.paper_desk import OvertakenError, PaperDamagedError
from gateway.parts.shift.safety_log import (
    DayNotBegunError,
    LogField,
    NothingWrittenError,
    NotSignedYetError,
    SignedAlreadyError,
)
from gateway.web.visitor import RefusedError, Visitor
from kit.words import Words

FIELD_WORDS = {
    LogField.ON_DUTY: Words("带班与在岗情况", "Leader and safety officers on duty"),
    LogField.INSPECTION: Words("安全检查情况", "Safety inspection"),
    LogField.HAZARDS: Words("发现的隐患", "Hazards found"),
    LogField.MEASURES: Words("整改措施与复查", "Measures taken and rechecked"),
    LogField.REMARKS: Words("其他事项", "Remarks"),
}
OFFICE_ERRORS = (
    TextTooLongError,
    NothingWrittenError,
    OvertakenError,
    SignedAlreadyError,
    NotSignedYetError,
    HandedAlreadyError,
    NotHandedError,
    SamePersonError,
    NotYoursError,
    PaperDamagedError,
    StoreError,
    TimeoutError,
)
_PLAIN: dict[type[Exception], tuple[int, Words]] = {
    SignedAlreadyError: (
        409,
        Words("该日志已签字，不能修改；可以写补充。", "This log is signed and cannot be changed; write a supplement."),
    ),
    NotSignedYetError: (409, Words("日志尚未签字，请直接修改。", "The log is not signed yet: change it directly.")),
    HandedAlreadyError: (
        409,
        Words("本班已签字交班，等待接班人确认。", "The shift is handed over and waits for whoever takes over."),
    ),
    NotHandedError: (
        409,
        Words("没有待接的班，或已被接班、撤回。", "There is nothing to take over, or it was taken or withdrawn."),
    ),
    SamePersonError: (
        409,
        Words("交班人和接班人必须是两个人。", "Whoever handed over cannot take over: two people sign."),
    ),
    NotYoursError: (409, Words("只有交班人可以撤回。", "Only whoever handed over may withdraw.")),
    TimeoutError: (
        503,
        Words("尚未写入，请勿关闭设备，稍后再看。", "Not on the disk yet: do not switch off, look again."),
    ),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What was wrong; `field` names the part of the form, or is empty."""

    status: int
    words: Words
    field: str = ""


def fault_of(error: Exception) -> Fault:
    """In words. `error` is one of `OFFICE_ERRORS`."""
    if isinstance(error, TextTooLongError):
        return _too_long(error)
    if isinstance(error, NothingWrittenError):
        return Fault(422, Words("请先填写内容再签字。", "Write something before you sign."), str(error.args[0]))
    if isinstance(error, OvertakenError):
        return _overtaken(error)
    if isinstance(error, PaperDamagedError):
        words = Words(
            "已存档的内容与存证记录不符，不能继续写入，请从备份恢复。",
            "What is kept is not what was sealed; nothing more is written to it. Restore it from a backup.",
        )
        return Fault(500, words)
    status, words = _PLAIN.get(type(error), (503, Words("写入失败，请稍后重试。", "It could not be saved. Try again.")))
    return Fault(status, words)


def signer(visitor: Visitor) -> str:
    """Who writes and signs: somebody with an own login. Raises RefusedError."""
    if not visitor.person:
        raise RefusedError(403, "sign_as_yourself", "签字须由本人登录后进行", "log in as yourself to write and sign")
    return visitor.name


def seen_versions(form: Mapping[str, str]) -> int:
    """How many versions the page had shown; a form without the number has seen none."""
    said = form.get("versions", "")
    return int(said) if said.isdecimal() and len(said) < 9 else 0


def bad_day(error: DayNotBegunError | ValueError) -> RefusedError:
    """A day that is no day, or has not come."""
    return RefusedError(
        404, "no_such_day", "没有这一天，或尚未到来", f"no such day, or it has not come: {error}", "day"
    )


def _too_long(error: TextTooLongError) -> Fault:
    name = FIELD_WORDS[LogField(error.field)] if error.field in list(LogField) else Words("内容", "The text")
    words = Words(
        f"{name.zh}共 {error.characters} 个字符，最多 {MAX_CHARACTERS} 个；未保存，请缩短。",
        f"{name.en}: {error.characters} characters, at most {MAX_CHARACTERS} fit; nothing was kept, make it shorter.",
    )
    return Fault(422, words, error.field)


def _overtaken(error: OvertakenError) -> Fault:
    user = error.newest.user
    words = Words(
        f"您打开页面后，{user} 已保存了新内容；您写的仍在下面，未保存。请核对后再次保存。",
        f"{user} has saved since you opened this page; your words are below and not kept. Compare, then save again.",
    )
    return Fault(409, words)
