"""What a map's schema expected, in the words of whoever writes the map: English and Chinese.

In: pydantic's errors and YAML's. Out: `Words`. A value of a map is shown short; nothing here reads a file.
"""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic_core import ErrorDetails

from docking.fault import Words

FULL_WIDTH: Final = re.compile("[：，｛｝［］＃“”]")
"""What a Chinese input method types for : , { } [ ] # and quotes."""
SHOWN_CHARACTERS: Final = 60

PATTERN_LETTERS: Final = {
    "a": "token_form",
    "b": "header_signature",
    "c": "api_key",
    "i": "sorted_parameters",
}
"""The letters of docs/docking.md; people write them where the pattern's name belongs."""

PATH_PATTERN: Final = r"^/[A-Za-z0-9/._~-]*$"
CREDENTIAL_PATTERN: Final = r"^[a-z][a-z0-9_]*$"
FIELD_PATTERN: Final = r"^[A-Za-z_][A-Za-z0-9_]{0,63}$"
NAME_PATTERN: Final = r"^[a-z0-9]([a-z0-9_.-]{0,62}[a-z0-9])?$"

_PATTERNS: Final = {
    PATH_PATTERN: Words(
        "a path that begins with /, such as /crane/realtime; the address before it is the uplink's url",
        "以 / 开头的路径，例如 /crane/realtime；前面的地址写在上行的 url 中",
    ),
    CREDENTIAL_PATTERN: Words("small letters, digits and _, such as app_key", "小写字母、数字和下划线，例如 app_key"),
    FIELD_PATTERN: Words(
        "letters, digits and _, at most 64, such as DeviceSN", "字母、数字和下划线，最多 64 个，例如 DeviceSN"
    ),
    NAME_PATTERN: Words(
        "small letters, digits, - _ and ., at most 64, such as my-town",
        "小写字母、数字、- _ 和 .，最多 64 个，例如 my-town",
    ),
}
_GLUED: Final = re.compile(r"\s*(?:- )?[A-Za-z_]\w*:[^\s/:]")
_VALID: Final = Words("valid YAML", "正确的 YAML")
_WHOLE: Final = Words("a whole number", "整数")
_NUMBER: Final = Words("a number", "数字")
_YES_NO: Final = Words("true or false", "true 或 false")
_TEXT: Final = Words("text (put a number or yes/no in quotes)", "文字（数字或 yes/no 请加引号）")
_LIST: Final = Words("a list: [...], or lines that begin with -", "列表：[...]，或以 - 开头的各行")
_MAPPING: Final = Words("a mapping (key: value)", "键值组（键: 值）")
_CODE: Final = Words("a text, a number, true or false", "文字、数字、true 或 false")
_TYPES: Final = {
    "string_type": _TEXT,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": Words("a finite number", "有限的数字"),
    "bool_type": _YES_NO,
    "bool_parsing": _YES_NO,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "dict_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
}
_BOUNDS: Final = {
    "greater_than_equal": ("ge", "at least {}", "至少 {}"),
    "greater_than": ("gt", "more than {}", "大于 {}"),
    "less_than_equal": ("le", "at most {}", "最多 {}"),
    "less_than": ("lt", "less than {}", "小于 {}"),
    "string_too_short": ("min_length", "at least {} characters", "至少 {} 个字符"),
    "string_too_long": ("max_length", "at most {} characters", "最多 {} 个字符"),
    "too_short": ("min_length", "at least {} of them", "至少 {} 项"),
    "too_long": ("max_length", "at most {} of them", "最多 {} 项"),
}


def shown(value: Any) -> Words:
    """A value as it stands in a fault."""
    if value is None:
        return Words("nothing", "空")
    if isinstance(value, Mapping):
        return Words("a mapping (key: value)", "键值组")
    if isinstance(value, list | tuple):
        return Words("a list", "列表")
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    short = text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 3] + "..."
    return Words(short, short)


def one_of(choices: Iterable[str], near: str | None = None) -> Words:
    """The choices, the one that was probably meant first."""
    known = list(choices)
    hint = f"{near}? " if near else ""
    return Words(f"{hint}one of: {', '.join(known)}", f"{hint}以下之一：{'、'.join(known)}")


def nearest(word: object, known: Iterable[str]) -> str | None:
    """The known word that was probably meant: also where capitals, - and _ were mixed up."""
    plain = {_plain(name): name for name in known}
    close = difflib.get_close_matches(_plain(str(word)), list(plain), 1)
    return plain[close[0]] if close else None


def _plain(word: str) -> str:
    return re.sub(r"[-_ ]", "", word.casefold())


def expected(detail: ErrorDetails) -> Words:
    """What belongs where pydantic found something else."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in ("literal_error", "enum"):
        return _choice(detail["input"], detail["loc"], str(context.get("expected", "")))
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(str(context["pattern"]), Words(detail["msg"], detail["msg"]))
    if kind in _BOUNDS:
        bound, en, zh = _BOUNDS[kind]
        return Words(en.format(context[bound]), zh.format(context[bound]))
    if detail["loc"] and detail["loc"][-1] in ("str", "int", "float", "bool"):  # a branch of a code
        return _CODE
    return _TYPES.get(kind) or Words(detail["msg"], detail["msg"])


def _choice(found: object, loc: tuple[int | str, ...], told: str) -> Words:
    quoted = re.findall(r"'([^']*)'", told)
    if not quoted:  # the one choice of `version`
        without_quotes = isinstance(found, str) and found == told
        return Words(f"{told} without quotes", f"{told}，不加引号") if without_quotes else Words(told, told)
    letter = PATTERN_LETTERS.get(str(found).casefold()) if loc and loc[-1] == "pattern" else None
    return one_of(quoted, letter or nearest(found, quoted))


def unreadable(problem: str, lines: Sequence[str], line: int) -> tuple[int, Words, Words]:
    """Where YAML truly broke off, what was found there and what was expected.

    `lines` are the file's, `line` (1-based, 0: unknown) where the parser stopped: often one below the slip.
    """
    if "'\\t'" in problem:
        return line, Words("a tab character", "制表符（Tab）"), Words("spaces for indentation", "用空格缩进")
    for number in (line - 1, line):
        text = lines[number - 1] if 0 < number <= len(lines) else ""
        wide = FULL_WIDTH.search(text)
        if wide:
            found = Words(f"full-width {wide[0]} where YAML needs half-width", f"全角标点 {wide[0]}，YAML 只认半角")
            return number, found, Words(': , { } [ ] # " of the plain keyboard', '半角的 : , { } [ ] # "')
        if _GLUED.match(text):
            found = Words("a colon without a space after it", "冒号后没有空格")
            return number, found, Words("`key: value`, with a space", "“键: 值”，冒号后留一个空格")
    return line, Words(f"YAML that cannot be read: {problem}", f"YAML 无法解析：{problem}"), _VALID
