"""A crane's state as the real-time record of provincial docking practice: names and types of Chongqing V2 [S20].

In: a crane's state. Out: the record's fields (`C` fields as text, `N` fields as numbers, with the record's spelling).
The driver's name and identity number are in it too, made up and the same for every crane: whoever reads this must know
how to leave them.
"""

from collections.abc import Mapping

from drivers.sim.crane import CraneState
from drivers.sim.mqtt_publisher import Record

NAME = "模拟司机"
ID_NUMBER = "000000200001010000"
BROKEN_CRANE: Mapping[str, float | None] = {"Weight": 65535, "Moment": None, "WindSpeed": 65535, "Angle": 65535}


def crane_record(state: CraneState) -> Record:
    """What the crane's host would send, without its time."""
    fields: dict[str, float | str] = {
        "DeviceFactory": "SIM",
        "OperaterNo": str(round(state.driver_no)),
        "Name": NAME,
        "IdNo": ID_NUMBER,
        "WorkStatus": _bit(state.work_status),
        "MotorStatus": _bit(state.motor),
        "Multiple": round(state.multiple),
        "Moment": round(state.moment_pct, 2),
        "Weight": round(state.load_t, 2),
        "RatedWeight": round(state.rated_t, 2),
        "WindSpeed": round(state.wind_ms, 2),
        "RRange": round(state.radius_m, 2),
        "Height": round(state.crane_h_m, 2),
        "DGHeight": round(state.hook_m, 2),
        "Angle": round(state.slew_deg, 1) % 360,
        "Obliguity": round(state.tilt_deg, 2),
    }
    errors = {
        "WeightError": state.weight_error,
        "WindSpeedError": state.wind_error,
        "RangeError": state.range_error,
        "HeightError": state.height_error,
        "AngleError": state.angle_error,
        "ObliguityError": state.tilt_error,
        "IdError": state.id_error,
    }
    fields["NoError"] = _bit(not any(errors.values()))
    return fields | {name: _bit(value) for name, value in errors.items()} | {"MultiAlarmAll": _bit(state.multi_alarm)}


def _bit(value: float) -> str:
    return "1" if value else "0"
