"""What people type into the registry: codes, names and reasons, checked once for forms and imports alike. Pure.

Text stays text: HTML and SQL in a name are kept as they were typed, and shown as such. Control characters, which no
keyboard makes and no page shows, are refused.
"""

import re
from typing import TypeVar

from regulator.base.kinds import Word
from regulator.base.model.refusals import RefusedError

CODE = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z_.-]{0,62}[0-9A-Za-z])?")
MAX_NAME, MAX_REASON = 200, 2000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]")
AnyWord = TypeVar("AnyWord", bound=Word)


def read_code(text: str, field: str) -> str:
    """1 to 64 letters, digits, `.`, `_`, `-`; begins and ends with a letter or digit. Raises RefusedError 422."""
    code = text.strip()
    if not CODE.fullmatch(code):
        raise RefusedError(
            422,
            "not_a_code",
            f"“{code[:40]}”不是编码：应为 1 至 64 位字母、数字、点、下划线或连字符",
            f"{code[:40]!r}: 1 to 64 letters, digits, dots, underscores or hyphens",
            field,
        )
    return code


def read_code_or_none(text: str, field: str) -> str:
    """A code, or empty for none."""
    return read_code(text, field) if text.strip() else ""


def read_text(text: str, field: str, *, most: int = MAX_NAME, needed: bool = True) -> str:
    """One line or some lines of text, stripped. Raises RefusedError 422: none, too long, control characters."""
    words = text.strip()
    if not words and needed:
        raise RefusedError(422, "missing", "不能为空", "must not be empty", field)
    if len(words) > most:
        raise RefusedError(
            422, "too_long", f"最多 {most} 字，现为 {len(words)} 字", f"{len(words)} characters, {most} at most", field
        )
    if found := _CONTROL.search(words):
        code = f"U+{ord(found.group()):04X}"
        raise RefusedError(422, "control_character", f"含有控制字符 {code}", f"has the control character {code}", field)
    return words


def read_reason(text: str) -> str:
    """Why something is done: never empty."""
    return read_text(text, "reason", most=MAX_REASON)


def read_word(kind: type[AnyWord], text: str, field: str) -> AnyWord:
    """A member by its value, its Chinese or its English name. Raises RefusedError 422 with what may be said."""
    said = text.strip()
    for member in kind:
        if said in (member.value, member.zh) or said.lower() == member.en.lower():
            return member
    zh, en = "、".join(member.zh for member in kind), ", ".join(member.value for member in kind)
    raise RefusedError(422, "not_a_choice", f"“{said[:40]}”不在选项内：{zh}", f"{said[:40]!r} is none of: {en}", field)
