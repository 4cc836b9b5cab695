"""Persons from a table (CSV), as a site office keeps them: one line a certificate, Chinese or English headings.

    姓名,身份证号,司机编号,设备,岗位,证书类别,证书编号,有效期至
    name,id_number,driver_no,asset,role,certificate_kind,certificate_number,valid_until

In: the bytes of a file (UTF-8 with or without mark, or GB 18030). Out: persons, or every fault at once with its line.
Lines of one ID number are one person. A fault never repeats what stands in the field.
"""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar

from gateway.model.papers import driver_number
from gateway.parts.identity.person import Certificate, CertificateKind, DriverNumber, Person, Role

MAX_BYTES = 4 * 2**20
HEADINGS = {
    "姓名": "name",
    "身份证号": "id_number",
    "司机编号": "driver_no",
    "设备": "asset",
    "岗位": "role",
    "证书类别": "certificate_kind",
    "证书编号": "certificate_number",
    "有效期至": "valid_until",
}
KINDS = {
    "塔式起重机司机": CertificateKind.TOWER_CRANE_DRIVER,
    "建筑起重机械司机（塔式起重机）": CertificateKind.TOWER_CRANE_DRIVER,
    "施工升降机司机": CertificateKind.HOIST_DRIVER,
    "信号工": CertificateKind.SIGNALLER,
    "司索工": CertificateKind.SLINGER,
    "建筑起重信号司索工": CertificateKind.SIGNALLER,
    "安装拆卸工": CertificateKind.ERECTOR,
    "建筑起重机械安装拆卸工": CertificateKind.ERECTOR,
    "其他": CertificateKind.OTHER,
}
ROLES = {
    "司机": Role.DRIVER,
    "检查人员": Role.INSPECTOR,
    "安装拆卸工": Role.ERECTOR,
    "维保人员": Role.MAINTENANCE,
    "信号工": Role.SIGNALLER,
    "监理": Role.SUPERVISOR,
    "项目经理": Role.PROJECT_MANAGER,
    "安全员": Role.SAFETY_OFFICER,
    "其他": Role.OTHER,
}
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LineFault:
    """What is wrong on one line: the heading, and what was expected there."""

    line: int
    heading: str
    expected: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.heading}: expected {self.expected}"


class ImportRefused(Exception):  # noqa: N818 - an answer to the operator
    """Nothing of the file was taken; carries every fault."""

    def __init__(self, faults: list[LineFault]) -> None:
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))


def read_persons(content: bytes) -> list[Person]:
    """The persons in a file. Raises ImportRefused."""
    rows = _rows(content)
    persons: dict[str, Person] = {}
    faults: list[LineFault] = []
    for line, row in rows:
        person = _person(line, row, faults)
        if person is not None:
            key = person.id_number or f"line {line}"
            persons[key] = _merged(persons[key], person) if key in persons else person
    if faults:
        raise ImportRefused(faults)
    return list(persons.values())


def _rows(content: bytes) -> list[tuple[int, Mapping[str, str]]]:
    """Line numbers and fields by their English headings; empty lines are left out."""
    if len(content) > MAX_BYTES:
        raise ImportRefused([LineFault(0, "file", f"at most {MAX_BYTES} bytes")])
    reader = csv.reader(io.StringIO(_text(content), newline=""))
    try:
        table = [(reader.line_num, [field.strip() for field in fields]) for fields in reader]
    except csv.Error:
        raise ImportRefused([LineFault(reader.line_num, "line", "comma-separated values")]) from None
    table = [(line, fields) for line, fields in table if any(fields)]
    if not table:
        raise ImportRefused([LineFault(1, "headings", ", ".join(HEADINGS))])
    headings = [HEADINGS.get(heading, heading) for heading in table[0][1]]
    _check_headings(headings)
    _check_widths(table[1:], len(headings))
    return [(line, dict(zip(headings, fields, strict=True))) for line, fields in table[1:]]


def _text(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ImportRefused([LineFault(0, "file", "UTF-8 or GB 18030 text")])


def _check_headings(headings: list[str]) -> None:
    unknown = [heading for heading in headings if heading not in HEADINGS.values()]
    if unknown or "name" not in headings or len(set(headings)) != len(headings):
        raise ImportRefused([LineFault(1, "headings", f"姓名/name and any others of {', '.join(HEADINGS)}, each once")])


def _check_widths(table: list[tuple[int, list[str]]], width: int) -> None:
    faults = [LineFault(line, "line", f"{width} fields") for line, fields in table if len(fields) != width]
    if faults:
        raise ImportRefused(faults)


def _person(line: int, row: Mapping[str, str], faults: list[LineFault]) -> Person | None:
    """The person of one line; None, and faults, when something is wrong with it."""
    before = len(faults)

    def field(heading: str, expected: str, parse: Callable[[str], T], empty: T) -> T:
        text = row.get(heading, "")
        try:
            return parse(text) if text else empty
        except (ValueError, KeyError):
            faults.append(LineFault(line, heading, expected))
            return empty

    role = field("role", f"a code 0 to 9, or one of {', '.join(ROLES)}", _role, None)
    kind = field("certificate_kind", f"one of {', '.join([*CertificateKind, *KINDS])}", _kind, None)
    until = field("valid_until", "a day such as 2027-05-31", _day, None)
    number = row.get("certificate_number", "")
    if (kind or until or number) and not (kind and until and 1 <= len(number) <= 64):
        faults.append(LineFault(line, "certificate", "kind, number and last day of validity together"))
        kind = None
    driver_no = driver_number(row.get("driver_no", ""))
    try:
        person = Person(
            name=row["name"],
            id_number=row.get("id_number", "").upper(),
            roles=() if role is None else (role,),
            driver_numbers=(DriverNumber(driver_no, row.get("asset", "")),) if driver_no else (),
            certificates=(Certificate(kind, number, until),) if kind and until else (),
        )
    except ValueError as error:
        heading, _, expected = str(error).partition(": expected ")
        faults.append(LineFault(line, heading, expected))
        return None
    return person if len(faults) == before else None


def _merged(first: Person, second: Person) -> Person:
    return replace(
        first,
        roles=tuple(dict.fromkeys((*first.roles, *second.roles))),
        driver_numbers=tuple(dict.fromkeys((*first.driver_numbers, *second.driver_numbers))),
        certificates=tuple(dict.fromkeys((*first.certificates, *second.certificates))),
    )


def _role(text: str) -> Role:
    return ROLES[text] if text in ROLES else Role(int(text))


def _kind(text: str) -> CertificateKind:
    return KINDS[text] if text in KINDS else CertificateKind(text)


def _day(text: str) -> date:
    return date.fromisoformat(text.replace("/", "-").replace(".", "-"))
