"""What a person may write as a reason, a note or a name, and the reasons that are one tap away.

In: text as it was typed. Out: the text as it is sealed, or the fault in words. Any script and any sign is welcome, also
emoji and `<`: pages show it as text. Refused is what shows nothing or turns the text around: control characters. A
note may have lines.
"""

import re
from dataclasses import dataclass
from typing import Final

MAX_REASON_CHARS: Final = 4000
"""Unicode characters; the contract's bound for a message too."""
MAX_NAME_CHARS: Final = 64
_HIDDEN: Final = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_UNSEEN: Final = r"\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069"
_SHOWN: Final = rf"[^\x00-\x1f{_UNSEEN}]"
_SHOWN_OR_LINES: Final = rf"[^\x00-\x08\x0b\x0c\x0e-\x1f{_UNSEEN}]"
_INK: Final = rf"[^\s\x00-\x1f{_UNSEEN}]"
PRINTABLE: Final = f"^{_SHOWN}*$"
"""One line, or nothing, as the API takes it."""
SAID: Final = rf"^{_SHOWN}*{_INK}{_SHOWN}*$"
"""One line that says something."""
SAID_IN_LINES: Final = rf"^{_SHOWN_OR_LINES}*{_INK}{_SHOWN_OR_LINES}*$"
_CONTROL: Final = re.compile(f"[{_HIDDEN}\t\n]")
_CONTROL_BUT_LINES: Final = re.compile(f"[{_HIDDEN}]")


@dataclass(frozen=True, slots=True)
class Preset:
    """A reason with one tap. Records hold the Chinese words; the template holds the button."""

    code: str
    zh: str
    en: str


PRESETS: Final = (
    Preset("driver_told", "已通知司机停机", "Driver told to stop"),
    Preset("on_the_spot", "已到现场处理", "On the spot, dealing with it"),
    Preset("checking", "正在核实", "Checking"),
    Preset("monitoring_told", "已通知监测单位", "Monitoring company told"),
)
_PRESET_ZH: Final = {preset.code: preset.zh for preset in PRESETS}


class ReasonError(ValueError):
    """The text cannot be taken; `field` is whose, the messages say why. Nothing was done."""

    def __init__(self, field: str, message_zh: str, message_en: str) -> None:
        super().__init__(f"{field}: {message_en}")
        self.field, self.message_zh, self.message_en = field, message_zh, message_en


def clean_reason(text: str, *, lines: bool = False) -> str:
    """The reason without white space around it, its line ends as `\\n`. Raises ReasonError."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not text:
        raise ReasonError("reason", "请填写原因", "give a reason")
    if len(text) > MAX_REASON_CHARS:
        zh = f"原因最多 {MAX_REASON_CHARS} 个字，现有 {len(text)} 个字，请删减后再提交"
        raise ReasonError("reason", zh, f"at most {MAX_REASON_CHARS} characters, found {len(text)}: shorten it")
    if not lines:
        text = text.replace("\n", " ")
    if (_CONTROL_BUT_LINES if lines else _CONTROL).search(text):
        raise ReasonError(
            "reason", "原因中有不可见的控制字符，请删除", "the reason holds control characters: remove them"
        )
    return text


def clean_name(text: str) -> str:
    """A name without white space around it. Raises ReasonError."""
    text = text.strip()
    if not text:
        raise ReasonError("user", "请填写姓名", "give your name")
    if len(text) > MAX_NAME_CHARS:
        raise ReasonError("user", f"姓名最多 {MAX_NAME_CHARS} 个字", f"at most {MAX_NAME_CHARS} characters")
    if _CONTROL.search(text):
        raise ReasonError("user", "姓名中有不可见的控制字符，请删除", "the name holds control characters: remove them")
    return text


def chosen_reason(preset: str, typed: str) -> str:
    """The reason of a form with presets: the preset, and what was typed beside it. Raises ReasonError."""
    words = _PRESET_ZH.get(preset)
    if words is None:
        return clean_reason(typed)
    return clean_reason(f"{words}：{typed.strip()}") if typed.strip() else words


def reason_in(language: str, reason: str) -> str:
    """A preset in the reader's language; what a person wrote as it was written."""
    known = next((preset for preset in PRESETS if preset.zh == reason), None)
    return known.en if known is not None and language == "en" else reason


def one_of_several(reason: str, count: int) -> str:
    """The reason of each of several alarms that were acknowledged together says so."""
    return f"{reason}（批量确认，共 {count} 条）"
