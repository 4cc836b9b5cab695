from datetime import date

import pytest

from gateway.parts.identity.importing import ImportRefused, read_persons
from gateway.parts.identity.person import Certificate, CertificateKind, DriverNumber, Person, Role

HEADINGS = "姓名,身份证号,司机编号,设备,岗位,证书类别,证书编号,有效期至"
FIRST = "司机甲,99000019000101001x,007,crane-1,司机,塔式起重机司机,T-1,2027/05/31"
PERSON = Person(
    "司机甲",
    "99000019000101001X",
    (Role.DRIVER,),
    (DriverNumber("7", "crane-1"),),
    (Certificate(CertificateKind.TOWER_CRANE_DRIVER, "T-1", date(2027, 5, 31)),),
)


def table(*lines: str, headings: str = HEADINGS) -> bytes:
    return "\r\n".join([headings, *lines, ""]).encode()


def faults(content: bytes) -> list[str]:
    with pytest.raises(ImportRefused) as caught:
        read_persons(content)
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_table_of_a_site_office_is_read(encoding: str) -> None:
    assert read_persons(table(FIRST).decode().encode(encoding)) == [PERSON]


def test_english_headings_codes_and_kinds_are_read_in_any_order() -> None:
    headings = "valid_until,certificate_number,certificate_kind,role,asset,driver_no,id_number,name"
    line = "2027-05-31,T-1,tower-crane-driver,1,crane-1,7,99000019000101001X,司机甲"
    assert read_persons(table(line, headings=headings)) == [PERSON]


def test_lines_of_one_id_number_are_one_person() -> None:
    second = "司机甲,99000019000101001X,9,,信号工,信号工,T-2,2027.06.30"
    (person,) = read_persons(table(FIRST, "", second))
    assert person.roles == (Role.DRIVER, Role.SIGNALLER)
    assert person.driver_numbers == (DriverNumber("7", "crane-1"), DriverNumber("9"))
    assert [held.number for held in person.certificates] == ["T-1", "T-2"]


def test_persons_without_an_id_number_are_not_taken_for_one() -> None:
    assert len(read_persons(table("司机甲", "司机甲", headings="姓名"))) == 2


def test_every_fault_is_listed_with_its_line_and_without_its_value() -> None:
    found = faults(
        table(
            "司机甲,990000190013010000,7,,司机,塔式起重机司机,T-1,2027-05-31",
            "1号,,8,,司机长,塔吊,T-1,31.05.2027",
            "司机丙,,9,,,塔式起重机司机,,2027-05-31",
        )
    )
    assert [fault.split(": expected")[0] for fault in found] == [
        "line 2: id_number",
        "line 3: role",
        "line 3: certificate_kind",
        "line 3: valid_until",
        "line 3: certificate",
        "line 3: name",
        "line 4: certificate",
    ]
    assert not any("990000190013010000" in fault or "1号" in fault for fault in found)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "line 1: headings"),
        (b"\r\n\r\n", "line 1: headings"),
        ("姓名,性别\n司机甲,男\n".encode(), "line 1: headings"),
        ("身份证号\n".encode(), "line 1: headings"),
        ("姓名,姓名\n".encode(), "line 1: headings"),
        (table("司机甲,,7"), "line 2: line: expected 8 fields"),
        (b"\xff\xff\xff", "line 0: file"),
        (b"x" * (4 * 2**20 + 1), "line 0: file"),
        (b'name\n"' + b"x" * 200_000, "line 2: line"),
    ],
    ids=["nothing", "empty lines", "unknown", "no name", "twice", "short line", "binary", "too large", "endless field"],
)
def test_what_is_no_such_table_is_refused(content: bytes, said: str) -> None:
    (fault,) = faults(content)
    assert fault.startswith(said)
