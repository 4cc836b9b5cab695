"""Checks one field of a map against what the record can say: its source, unit, type, codes and form of time.

In: the field's section. Out: a `FieldMap`, or None and faults in the document.
"""

import difflib
import re
from collections.abc import Iterable

from docking.document import KeyPath, MapDocument
from docking.fault import Words
from docking.platform import Code, FieldMap, FieldType, TimeForm
from docking.quantities import FLAG_CHOICES, QUANTITIES, Quantity, RecordKind, ValueKind
from docking.schema import FieldSection
from docking.units import factor, units_like

_TYPE = re.compile(r"([CNB])(?:([1-9][0-9]{0,6})(?:\.([0-9]{1,2}))?)?")
_DEFAULT = {ValueKind.NUMBER: FieldType("N", 0, 6), ValueKind.BYTES: FieldType("B")}
_LETTERS = {ValueKind.NUMBER: "NC", ValueKind.BYTES: "B"}


def checked_field(document: MapDocument, path: KeyPath, kind: RecordKind, section: FieldSection) -> FieldMap | None:
    """The field with all that it names resolved; None where a fault was noted."""
    before = len(document.faults)
    sources = [name for name in ("of", "none_of", "constant") if getattr(section, name) not in ("", (), None)]
    if len(sources) != 1:
        found = Words(" and ".join(sources) or "no source", "、".join(sources) or "没有来源")
        document.add(path, found, Words("exactly one of: of, none_of, constant", "of、none_of、constant 恰好一个"))
        return None
    quantity = _quantity(document, (*path, "of"), kind, section.of) if section.of else None
    if section.of and quantity is None:
        return None
    type_ = _type(document, (*path, "type"), section, quantity)
    if section.none_of:
        _check_flags(document, (*path, "none_of"), kind, section.none_of)
    field = FieldMap(
        name=section.name,
        type=type_,
        line=document.line(path),
        quantity=quantity,
        none_of=section.none_of,
        constant=section.constant,
        factor=_factor(document, path, section, quantity),
        form=_form(document, path, section, quantity),
        values=dict(section.values),
        required=section.required,
        missing=section.missing,
        cut=section.cut,
    )
    _check_codes(document, path, field)
    return field if len(document.faults) == before else None


def _quantity(document: MapDocument, path: KeyPath, kind: RecordKind, name: str) -> Quantity | None:
    known = QUANTITIES[kind]
    if name not in known:
        _not_one_of(document, path, name, known)
    return known.get(name)


def _not_one_of(document: MapDocument, path: KeyPath, name: str, known: Iterable[str]) -> None:
    names = sorted(known)
    near = difflib.get_close_matches(name, names, 1)
    hint = f"{near[0]}? " if near else ""
    document.add(
        path,
        Words(f"the unknown quantity {name}", f"未知的量 {name}"),
        Words(f"{hint}one of: {', '.join(names)}", f"{hint}以下之一：{'、'.join(names)}"),
    )


def _check_flags(document: MapDocument, path: KeyPath, kind: RecordKind, names: tuple[str, ...]) -> None:
    flags = {name: each for name, each in QUANTITIES[kind].items() if each.kind is ValueKind.FLAG}
    for i, name in enumerate(names):
        if name not in flags:
            _not_one_of(document, (*path, i), name, flags)


def _type(document: MapDocument, path: KeyPath, section: FieldSection, quantity: Quantity | None) -> FieldType:
    kind = quantity.kind if quantity is not None else ValueKind.TEXT
    if not section.type:
        return _DEFAULT.get(kind, FieldType("C"))
    read = _TYPE.fullmatch(section.type)
    if read is None or (read[3] and (read[1] != "N" or int(read[3]) >= int(read[2]))):
        hint = f"{upper}? " if _TYPE.fullmatch(upper := section.type.upper().replace(",", ".")) else ""
        shapes = Words(
            f"{hint}C50 (50 characters), N5.2 (5 digits, 2 of them decimals), N2 or B (bytes)",
            f"{hint}C50（50 个字符）、N5.2（5 位数字，其中 2 位小数）、N2 或 B（字节）",
        )
        document.add(path, _shown(section.type), shapes)
        return FieldType("C")
    letters = _LETTERS.get(kind, "CN")
    if read[1] not in letters:
        expected = " or ".join(letters)
        found = Words(f"{section.type} for a {kind}", f"{kind} 类的量用 {section.type}")
        document.add(path, found, Words(f"type {expected}", f"类型 {expected}"))
    decimals = int(read[3] or 0) if read[2] else 6
    return FieldType(read[1], int(read[2] or 0), decimals)


def _factor(document: MapDocument, path: KeyPath, section: FieldSection, quantity: Quantity | None) -> float:
    numeric = quantity is not None and quantity.kind is ValueKind.NUMBER
    if not numeric:
        if section.unit is not None:
            found = Words(f"unit {section.unit} of something without a unit", f"没有单位的量用了单位 {section.unit}")
            document.add((*path, "unit"), found, Words("no unit", "不写单位"))
        return 1.0
    assert quantity is not None
    if section.unit is None and quantity.unit:
        expected = Words(f"unit: one of {_units(quantity)}", f"unit：{_units(quantity)} 之一")
        document.add((*path, "unit"), Words("nothing", "缺少"), expected)
        return 1.0
    try:
        return factor(quantity.unit, section.unit or "")
    except ValueError:
        found = Words(
            f"unit {section.unit} for {quantity.name} in {quantity.unit}", f"{quantity.name} 用 {section.unit}"
        )
        document.add((*path, "unit"), found, Words(f"one of: {_units(quantity)}", f"以下之一：{_units(quantity)}"))
        return 1.0


def _units(quantity: Quantity) -> str:
    return ", ".join(units_like(quantity.unit)) or "-"


def _form(document: MapDocument, path: KeyPath, section: FieldSection, quantity: Quantity | None) -> TimeForm:
    is_time = quantity is not None and quantity.kind is ValueKind.INSTANT
    forms = ", ".join(form.value for form in TimeForm)
    if is_time and section.format is None:
        document.add((*path, "format"), Words("nothing", "缺少"), Words(f"one of: {forms}", f"以下之一：{forms}"))
    if not is_time and section.format is not None:
        found = Words(f"format {section.format} of what is no time", f"不是时间的量用了 {section.format}")
        document.add((*path, "format"), found, Words("no format", "不写 format"))
    return section.format or TimeForm.MS


def _check_codes(document: MapDocument, path: KeyPath, field: FieldMap) -> None:
    """Every choice has a code, no code is for nothing, and each fits the field."""
    choices = FLAG_CHOICES if field.none_of else field.quantity.choices if field.quantity else ()
    for choice in choices:
        if choice not in field.values:
            found = Words(f"no code for {choice}", f"{choice} 没有代码")
            document.add((*path, "values"), found, Words("a code for each of " + ", ".join(choices), "每个值一个代码"))
    for name, code in field.values.items():
        if name not in choices:
            expected = ", ".join(choices) or "no values"
            found = Words(f"a code for {name}", f"{name} 的代码")
            document.add((*path, "values", name), found, Words(f"one of: {expected}", f"以下之一：{expected}"))
        _check_fits(document, (*path, "values", name), field.type, code)
    for name, code_or_none in (("constant", field.constant), ("missing", field.missing)):
        if code_or_none is not None:
            _check_fits(document, (*path, name), field.type, code_or_none)


def _check_fits(document: MapDocument, path: KeyPath, type_: FieldType, code: Code) -> None:
    text = str(code)
    if type_.letter == "C":
        if type_.size and len(text) > type_.size:
            expected = Words(f"at most {type_.size} characters", f"最多 {type_.size} 个字符")
            document.add(path, _shown(text), expected)
        return
    number = re.fullmatch(r"-?(\d+)(?:\.(\d+))?", text)
    fits = number is not None and (
        not type_.size or (len(number[1]) <= type_.size - type_.decimals and len(number[2] or "") <= type_.decimals)
    )
    if not fits:
        shape = f"N{type_.size}.{type_.decimals}" if type_.size else "a number"
        document.add(path, _shown(text), Words(f"a number that fits {shape}", f"符合 {shape} 的数字"))


def _shown(text: str) -> Words:
    return Words(repr(text[:60]), repr(text[:60]))
