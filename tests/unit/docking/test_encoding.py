"""Values in a platform's form: rounding, conversion, codes, time zones, what is unknown, what does not fit."""

import base64

import pytest

from docking.encoding import CannotEncodeError, encode
from docking.loading import load_platform
from docking.quantities import QUANTITIES, RecordKind
from docking.record import DockingRecord
from docking.shelf import map_path
from docking.units import factor

AT_NS = 1_700_000_000_123_000_000  # 2023-11-14 22:13:20.123 UTC; 06:13:20 the next day in China
PLATFORM = load_platform(map_path("pattern-a-token-form"))
KNOWN = {"project_code": "P-1", "device_sn": "SN-1", "observed_at": AT_NS}


def crane(personal=False, **values):
    record = DockingRecord(RecordKind.CRANE_REALTIME, "r-1", AT_NS, KNOWN | values)
    return encode(record, PLATFORM.records[RecordKind.CRANE_REALTIME], PLATFORM.time_zone, personal)


def mapped(tmp_path, field, kind="crane_realtime"):
    """The map of one field beside the real platform."""
    text = map_path("pattern-c-api-key").read_text().split("records:\n")[0]
    path = tmp_path / "one.yaml"
    path.write_text(f"{text}records:\n  {kind}:\n    path: /x\n    fields:\n      - {field}\n")
    return load_platform(path).records[RecordKind(kind)]


def one(tmp_path, field, **values):
    record = DockingRecord(RecordKind.CRANE_REALTIME, "r-1", AT_NS, values)
    return encode(record, mapped(tmp_path, field), "Asia/Shanghai").fields.get("X")


def test_times_are_those_of_the_platforms_zone():
    fields = crane().fields
    assert fields["DataTimeStamp"] == 1_700_000_000_123
    assert (fields["Date"], fields["Time"]) == ("2023-11-15", "06:13:20")


def test_numbers_have_the_types_decimals():
    fields = crane(load_t=3.14159, slew_deg=359.96, multiple=4.0, tilt_deg=-0.126).fields
    assert (fields["Weight"], fields["Angle"], fields["Multiple"], fields["Obliguity"]) == (3.14, 360.0, 4, -0.13)


def test_what_is_unknown_is_left_out_and_said():
    payload = crane(load_t=float("nan"))
    assert "Weight" not in payload.fields
    assert {"Weight", "Moment", "NoError", "NoAlarm", "IdNo"} <= set(payload.left_out)


def test_a_number_beyond_its_type_is_left_out_and_never_cut():
    assert crane(load_t=999.99).fields["Weight"] == 999.99
    assert "Weight" not in crane(load_t=1000.0).fields
    assert "Weight" not in crane(load_t=999.996).fields


def test_a_required_field_that_is_unknown_stops_the_record():
    record = DockingRecord(RecordKind.CRANE_REALTIME, "r-1", AT_NS, {"device_sn": "SN-1", "observed_at": AT_NS})
    with pytest.raises(CannotEncodeError, match="UnifiedProjectCode"):
        encode(record, PLATFORM.records[RecordKind.CRANE_REALTIME], "Asia/Shanghai")


def test_no_error_is_said_only_when_every_fault_is_known_to_be_absent():
    clear = {name: False for name in QUANTITIES[RecordKind.CRANE_REALTIME] if name.endswith("_error")}
    assert crane(**clear).fields["NoError"] == "1"
    assert crane(**(clear | {"id_error": True})).fields["NoError"] == "0"
    del clear["wind_error"]
    assert "NoError" not in crane(**clear).fields
    assert crane(**(clear | {"id_error": True})).fields["NoError"] == "0"


def test_persons_are_left_out_unless_permitted():
    person = {"driver_no": "7", "driver_name": "N", "driver_id_number": "1" * 18}
    assert not {"OperaterNo", "Name", "IdNo"} & crane(**person).fields.keys()
    assert crane(personal=True, **person).fields["IdNo"] == "1" * 18


def test_a_sentinel_stands_only_where_the_map_says_so(tmp_path):
    field = "{name: X, of: load_t, unit: t, type: N5.2, missing: -99}"
    assert one(tmp_path, field) == -99
    assert one(tmp_path, field, load_t=1.0) == 1.0


@pytest.mark.parametrize(
    ("field", "values", "expected"),
    [
        ("{name: X, of: load_t, unit: kg, type: N6}", {"load_t": 1.2344}, 1234),
        ("{name: X, of: load_t, unit: kN, type: N5.2}", {"load_t": 1.0}, 9.81),
        ("{name: X, of: wind_ms, unit: km/h, type: N5.1}", {"wind_ms": 10.0}, 36.0),
        ("{name: X, of: slew_deg, unit: rad, type: N5.3}", {"slew_deg": 180.0}, 3.142),
        ("{name: X, of: moment_pct, unit: '1', type: N5.3}", {"moment_pct": 85.0}, 0.85),
        ("{name: X, of: load_t, unit: t, type: C10}", {"load_t": 2.0}, "2"),
        ("{name: X, of: observed_at, format: s, type: C10}", {"observed_at": AT_NS}, "1700000000"),
        ("{name: X, of: observed_at, format: iso}", {"observed_at": AT_NS}, "2023-11-15T06:13:20+08:00"),
        ("{name: X, of: device_sn, type: C3, cut: true}", {"device_sn": "12345"}, "123"),
        ("{name: X, of: device_sn, type: C3}", {"device_sn": "12345"}, None),
        ("{name: X, constant: v2}", {}, "v2"),
    ],
)
def test_units_and_types(tmp_path, field, values, expected):
    assert one(tmp_path, field, **values) == expected


def test_units_of_other_dimensions_do_not_convert():
    assert factor("t·m", "kN·m") == pytest.approx(9.80665)
    with pytest.raises(ValueError, match="cannot become"):
        factor("t", "m")
    with pytest.raises(ValueError, match="nothing else"):
        factor("parsec", "m")


def test_a_photo_goes_as_base64_without_a_prefix():
    values = {
        "device_sn": "CAM",
        "ai_alarm": "helmet",
        "observed_at": AT_NS,
        "photo": b"\xff\xd8\xff",
        "photo_md5": "m",
    }
    record = DockingRecord(RecordKind.AI_ALARM, "r-1", AT_NS, values)
    fields = encode(record, PLATFORM.records[RecordKind.AI_ALARM], "Asia/Shanghai").fields
    assert base64.b64decode(fields["photoDocument"]) == b"\xff\xd8\xff"
    assert (fields["alarmType"], fields["photoIdentify"]) == (2, "m")
