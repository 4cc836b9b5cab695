"""The shipped maps, field by field, and maps that are refused: every fault at once, each with its line."""

from pathlib import Path

import pytest

from docking.fault import MapError
from docking.loading import load_platform
from docking.quantities import QUANTITIES, RecordKind
from docking.shelf import map_path, shipped_names

REALTIME = """
UnifiedProjectCode DataTimeStamp DeviceFactory DeviceSN EquipmentRecordNumber Date Time OperaterNo Name IdNo
WorkStatus MotorStatus Multiple Moment Weight RatedWeight WindSpeed WindLevel RRange Height DGHeight Angle
Obliguity NoError WeightError WindSpeedError RangeError HeightError AngleError ObliguityError IdError NoAlarm
MomentAlarm WindSpeedAlarm HeightAlarm MinRangeAlarm MaxRangeAlarm PosAngleAlarm NegAngleAlarm ObliguityAlarm
ForbidEntryAlarm MultiAlarmAll
"""
CYCLE = """
WorkStartDate WorkStartTime WorkEndDate WorkEndTime WorkWeight WorkMaxTorqueRange WorkRatedWeight WorkMaxTorque
WorkMaxForce WorkMaxWindSpeed WorkWindSpeedAlarm WorkMaxHeight WorkStartAngle WorkEndAngle WorkStartRange
WorkEndRange WorkStartHeight WorkEndHeight WorkMaxRangeAlarm WorkMinRangeAlarm WorkHeightAlarm WorkPosAngleAlarm
WorkNegAngleAlarm WorkMomentAlarm WorkMomentPreAlarm WorkObliguityAlarm WorkEnvironmentAlarm WorkMultiAlarm
WorkWindSpeedPreAlarm StartAngle EndAngle
"""
AI_ALARM = ["deviceCode", "alarmType", "zoneId", "photoName", "photoDocument", "photoIdentify", "recordTime"]


def names_of(platform, kind):
    return [field.name for field in platform.records[kind].fields]


@pytest.mark.parametrize("name", shipped_names())
def test_every_shipped_map_is_sound_and_carries_the_published_names(name):
    platform = load_platform(map_path(name))
    assert names_of(platform, RecordKind.CRANE_REALTIME) == REALTIME.split()
    assert [field for field in names_of(platform, RecordKind.CRANE_CYCLE) if field in CYCLE.split()] == CYCLE.split()
    spelled = [field[0].lower() + field[1:] for field in names_of(platform, RecordKind.AI_ALARM)]
    assert spelled == AI_ALARM


def test_the_four_patterns_are_shipped():
    assert {load_platform(map_path(name)).transport.pattern.value for name in shipped_names()} == {
        "token_form",
        "header_signature",
        "api_key",
        "sorted_parameters",
    }


@pytest.mark.parametrize("name", shipped_names())
def test_personal_fields_are_marked_and_never_required(name):
    fields = [field for record in load_platform(map_path(name)).records.values() for field in record.fields]
    personal = {field.name for field in fields if field.personal}
    assert personal == {"OperaterNo", "Name", "IdNo"}
    assert not any(field.required for field in fields if field.personal)


def broken(tmp_path: Path, old: str, new: str, shipped: str = "pattern-a-token-form") -> tuple[list[str], int]:
    """The faults of a shipped map in which one text was replaced, and the line on which it stands."""
    text = map_path(shipped).read_text()
    assert text.count(old) >= 1, old
    line = text[: text.index(old)].count("\n") + 1
    path = tmp_path / "broken.yaml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(MapError) as caught:
        load_platform(path)
    return [f"{fault.line}: {fault.key}: {fault.expected.en}" for fault in caught.value.faults], line


@pytest.mark.parametrize(
    ("old", "new", "key", "expected"),
    [
        ("of: load_t, type", "of: load_tons, type", "fields[14].of", "load_t? one of:"),
        (
            "of: load_t, type: N5.2, unit: t",
            "of: load_t, type: N5.2, unit: m",
            "fields[14].unit",
            "one of: t, kg, kN, N",
        ),
        ("of: load_t, type: N5.2, unit: t", "of: load_t, type: N5.2", "fields[14].unit", "unit: one of t, kg"),
        ("of: load_t, type: N5.2", "of: load_t, type: Z5", "fields[14].type", "C50 (50 characters), N5.2"),
        ('climbing: "1"', 'climb: "1"', "fields[10].values", "a code for each of run, climbing"),
        ('climbing: "1"', 'climbing: "12"', "fields[10].values.climbing", "at most 1 characters"),
        ("of: observed_at, format: date", "of: observed_at", "fields[5].format", "one of: ms, s, date"),
        ("of: device_sn, type: C50", "of: device_sn, unit: t", "fields[3].unit", "no unit"),
        ("name: DeviceSN", "name: DeviceFactory", "fields[3].name", "each field once"),
        ("name: DeviceSN,", "nam: DeviceSN,", "fields[3].nam", "name? one of: constant"),
        ("of: device_sn, type: C50, required: true", "type: C50", "fields[3]", "exactly one of"),
        ("none_of: [weight_error", "none_of: [weight", "fields[23].none_of[0]", "weight_error?"),
        ("  crane_cycle:", "  crane_cycles:", "records.crane_cycles", "one of: crane_realtime"),
        (
            "    path: /crane/workcycle",
            "    path: crane/workcycle",
            "records.crane_cycle.path",
            "begins with /, such as",
        ),
        ("Bearer {token}", "Bearer {tokn}", "transport.headers.Authorization", "one of: {app_key}"),
        ("{body}", "{body", "transport.parameters.params", "{name}, or {{"),
        ("  body: form", "  body: xml", "transport.body", "one of: json, form"),
        ("  refused: [400, 422]", "  refused: [200]", "reply.refused", "each code once"),
        ("  at: code", "  code: code", "reply.code", "one of: accepted"),
        ("certainty: V1\ntransport", "certainty: sure\ntransport", "certainty", "one of: V1, V2"),
        ("reply:\n  at", "time_zone: Asia/Nowhere\nreply:\n  at", "time_zone", "an IANA zone"),
    ],
)
def test_a_wrong_field_unit_or_value_is_refused_with_its_line(tmp_path, old, new, key, expected):
    faults, line = broken(tmp_path, old, new)
    matching = [fault for fault in faults if key in fault and expected in fault]
    assert matching, faults
    assert abs(int(matching[0].split(":")[0]) - line) <= 1


SLIPS = [
    ("pattern: token_form", "pattern: A", "transport.pattern: found 'A', expected token_form? one of:", "token_form?"),
    ("pattern: token_form", "pattern:token_form", "(file): found a colon without a space", "冒号后没有空格"),
    ("pattern: token_form", "pattern：token_form", "(file): found full-width ：", "全角标点 ："),
    ("  pattern: token_form", "\tpattern: token_form", "(file): found a tab character", "制表符"),
    ("version: 1", 'version: "1"', "version: found '1', expected 1 without quotes", "不加引号"),
    (
        "[app_key, app_secret]",
        "[AppKey, app_secret]",
        "credentials[0]: found 'AppKey', expected small letters",
        "小写字母",
    ),
    ('appSecret: "{app_secret}"', 'appSecret: "9f8d7e"', "app_secret, which no template uses", "切勿直接写其内容"),
    ("accepted: [200]", "accepted: 200", "reply.accepted: found 200, expected a list", "列表"),
    ("accepted: [200]", "accepted: [007]", "accepted[0]: found 007 without quotes", '加引号："007"'),
    ("every_s: 10", "every_s: ten", "every_s: found 'ten', expected a number", "数字"),
    ("every_s: 10", "every_s: 0", "every_s: found 0, expected more than 0", "大于 0"),
    (
        "name: DeviceSN",
        "name: Device-SN",
        "name: found 'Device-SN', expected letters, digits and _",
        "字母、数字和下划线",
    ),
    ("of: device_sn", "of:", "fields[3].of: found nothing, expected text", "文字"),
    ("type: N5.2", "type: 'N5,2'", "type: found 'N5,2', expected N5.2?", "N5.2?"),
    ('{run: "0"', "{run: no", 'found no without quotes, expected "no" in quotes', '加引号："no"'),
    ("required: true", "required: ja", "required: found 'ja', expected true or false", "true 或 false"),
    (
        "    path: /crane/realtime",
        "    path: https://x/y",
        "such as /crane/realtime; the address before it",
        "以 / 开头",
    ),
]


@pytest.mark.parametrize(("old", "new", "en", "zh"), SLIPS)
def test_a_slip_is_told_in_one_line_that_says_what_to_write(tmp_path, old, new, en, zh):
    """On its own line of the file, in both languages, and in no programmer's words."""
    text = map_path("pattern-a-token-form").read_text()
    assert old in text
    path = tmp_path / "slip.yaml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(MapError) as caught:
        load_platform(path)
    fault = next(fault for fault in caught.value.faults if en in str(fault))
    assert zh in fault.found.zh + fault.expected.zh
    line = text[: text.index(old)].count("\n") + 1
    assert fault.line == line if "which no template" not in en else fault.line == line - 3
    assert len({str(each) for each in caught.value.faults}) == len(caught.value.faults) <= 2
    assert "\n" not in str(fault)
    for word in ("Input should", "valid tuple", "NoneType", "dict", "match pattern"):
        assert word not in str(caught.value)


def test_what_two_branches_of_a_type_refuse_is_told_once(tmp_path):
    faults, _ = broken(tmp_path, 'run: "0"', "run: [1]")
    assert len(faults) == 1
    assert "a text, a number, true or false" in faults[0]


def test_a_key_of_a_signature_goes_with_an_hmac_alone(tmp_path):
    without, _ = broken(tmp_path, "algorithm: sha256", "algorithm: hmac-sha256", "pattern-b-header-signature")
    assert without[0].endswith('transport.signature.key: key: "{a_credential}"')
    needless, _ = broken(tmp_path, "algorithm: hmac-sha256", "algorithm: sha256", "pattern-i-sorted-parameters")
    assert needless[0].endswith("transport.signature.key: no key, or algorithm hmac-sha256")


def test_all_faults_of_a_file_are_told_at_once(tmp_path):
    text = map_path("pattern-i-sorted-parameters").read_text()
    text = text.replace("of: load_t, type: N5.2, unit: t", "of: load_t, type: N5.2, unit: kelvin", 1)
    text = text.replace("of: wind_ms", "of: wind", 1).replace('key: "{app_secret}"', 'key: "{secret}"', 1)
    path = tmp_path / "many.yaml"
    path.write_text(text)
    with pytest.raises(MapError) as caught:
        load_platform(path)
    assert len(caught.value.faults) == 3
    assert [fault.line for fault in caught.value.faults] == sorted(fault.line for fault in caught.value.faults)
    assert str(caught.value).count(str(path)) == 3


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "an empty file"),
        ("a: [", "YAML that cannot be read"),
        ("- a\n", "no mapping"),
        ("a: 1\na: 2\n", "already given on line 1"),
        ("a: !!python/object:os.system x\n", "a tag"),
        ("version: 1\nrecords: {}\n", "no records"),
    ],
)
def test_what_is_no_map_is_refused(tmp_path, text, found):
    path = tmp_path / "no.yaml"
    path.write_text(text)
    with pytest.raises(MapError, match="found") as caught:
        load_platform(path)
    assert found in str(caught.value)


def test_a_file_that_is_not_there_is_a_fault_of_the_file(tmp_path):
    with pytest.raises(MapError, match="no file"):
        load_platform(tmp_path / "nothing.yaml")


def test_no_quantity_of_a_person_but_the_drivers(tmp_path):
    personal = {q.name for table in QUANTITIES.values() for q in table.values() if q.personal}
    assert personal == {"driver_no", "driver_name", "driver_id_number"}
