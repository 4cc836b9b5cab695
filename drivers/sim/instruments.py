"""Instruments on a pit's bus: one for each monitoring point, as its device table says.

In: the pit's state and the winds at the cranes. Out: values by table key, for each unit of the bus. Pure. The numbers
in `InstrumentModel` are what a site file must say of these instruments, so that the gateway measures what the twin
moves. Figures are a product design.

    unit   device                                        asset     prefix in the demo
    1      vibrating-wire logger, two struts x 4 gauges  pit-1     vw_
    11-18  inclinometer chain, 8 nodes of 2 m            pit-1     n01_ (deepest) to n08_
    31-34  hydrostatic levels, the first is the reference  pit-1   h00_ to h03_
    41     water level gauge QDY30A                      pit-1     w01_
    51-53  automatic survey points at the wall top       pit-1     p01_ to p03_
    61-64  wind: PR-3000, SEN0483, MetSENS200, Hongyuv   crane-1   wa_ to wd_
    71     two-axis tilt at the mast                     crane-1   mast_
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from drivers.sim.crane import CraneState
from drivers.sim.pit import PitState

Unit = tuple[int, str, Mapping[str, float]]
_STRUT_SHARES = (1.0, 0.82)
_GAUGE_BENDING = (1.06, 0.94, 1.02, 0.98)
_SETTLEMENT_SHARES = (1.0, 0.6, 0.25)
_WALL_TOP_SHARES = (1.0, 0.85, 0.5)

PLACES: Mapping[int, tuple[str, str]] = (
    {1: ("pit-1", "vw_"), 41: ("pit-1", "w01_"), 71: ("crane-1", "mast_")}
    | {11 + i: ("pit-1", f"n{i + 1:02d}_") for i in range(8)}
    | {31 + i: ("pit-1", f"h{i:02d}_") for i in range(4)}
    | {51 + i: ("pit-1", f"p{i + 1:02d}_") for i in range(3)}
    | {61 + i: ("crane-1", f"w{letter}_") for i, letter in enumerate("abcd")}
)
"""Asset and prefix of each unit in the story's site file (config/sites/afternoon.yaml)."""


@dataclass(frozen=True, slots=True)
class InstrumentModel:
    """The sheets and places of the instruments.

    A gauge's strain in microstrain is `gauge_factor` x (`gauge_zero_digits` - digits), compression positive, digits =
    f^2 / 1000; a strut's force in kN is its strain x `strut_ea_kn` x 1e-6. Node i of the chain, from the deepest, spans
    `node_m`. The well's gauge hangs `well_probe_m` below the ground (positive down).
    """

    gauge_factor: float = 4.06
    gauge_zero_digits: float = 640.0
    strut_ea_kn: float = 4.12e6
    nodes: int = 8
    node_m: float = 2.0
    tank_mm: float = 120.0
    well_probe_m: float = 12.0
    water_depth_m: float = 6.0


def bus_units(pit: PitState, crane: CraneState, model: InstrumentModel | None = None) -> Iterator[Unit]:
    """Every unit of the bus: its number, its device table, and its values."""
    model = model or InstrumentModel()
    yield 1, "vw-logger-vtn416", _logger(pit, model)
    for i, tilt_deg in enumerate(node_tilts_deg(pit.deep_h, model)):
        yield 11 + i, "inclinometer-node", {"tilt_x_deg": tilt_deg, "tilt_y_deg": 0.12, "temp_degc": 16.5}
    for i, share in enumerate((0.0, *_SETTLEMENT_SHARES)):
        level_mm = model.tank_mm + share * pit.ground_settlement
        yield 31 + i, "hydrostatic-level", {"level_mm": level_mm, "temp_degc": pit.box_temp - 4}
    column_m = model.well_probe_m - model.water_depth_m + pit.water_level_mm / 1000
    yield 41, "water-level-qdy30a", {"level_unit": 1, "level_decimals": 1, "level_m": column_m}
    for i, share in enumerate(_WALL_TOP_SHARES):
        moved = {"horizontal_mm": share * pit.wall_top_h, "vertical_mm": share * pit.wall_top_v}
        yield 51 + i, "survey-point-modbus", moved
    yield from _winds(crane.wind_ms)
    yield 71, "tilt-2axis", {"tilt_x_deg": 0.8 * crane.tilt_deg, "tilt_y_deg": 0.6 * crane.tilt_deg}


def node_tilts_deg(largest_mm: float, model: InstrumentModel) -> list[float]:
    """Tilts of the chain, deepest first: its profile bulges to `largest_mm` at two thirds of the depth and is fixed at
    the bottom."""
    depth = [_bulge(i / model.nodes) * largest_mm for i in range(model.nodes + 1)]
    steps_mm = [above - below for below, above in pairwise(depth)]
    return [math.degrees(math.asin(step_mm / (1000 * model.node_m))) for step_mm in steps_mm]


def gauge_hz(force_kn: float, model: InstrumentModel) -> float:
    """The frequency that a gauge shows under this force."""
    strain = force_kn / model.strut_ea_kn * 1e6
    return math.sqrt(1000 * max(100.0, model.gauge_zero_digits - strain / model.gauge_factor))


def _logger(pit: PitState, model: InstrumentModel) -> dict[str, float]:
    """Eight gauges on channels 1 to 8, the rest without signal, one temperature."""
    channels = dict.fromkeys([f"ch{i}_hz" for i in range(1, 17)], math.nan)
    forces_kn = [share * bend * pit.strut_force_kn for share in _STRUT_SHARES for bend in _GAUGE_BENDING]
    channels |= {f"ch{i}_hz": gauge_hz(force_kn, model) for i, force_kn in enumerate(forces_kn, start=1)}
    temperatures = {"temp1_degc": pit.box_temp - 4} | {f"temp{i}_degc": math.nan for i in range(2, 5)}
    return channels | temperatures


def _winds(wind_m_s: float) -> Iterator[Unit]:
    """Four makers' anemometers in the same wind."""
    yield 61, "wind-pr3000-fsjt", {"wind_ms": wind_m_s}
    yield 62, "wind-dfrobot-sen0483", {"wind_ms": wind_m_s}
    means = {"sensor_wind_5min_ms": wind_m_s, "sensor_gust_3s_ms": wind_m_s}
    yield 63, "wind-metsens200", {"wind_direction_deg": 120.0, "wind_ms": wind_m_s, **means}
    yield 64, "wind-hongyuv-ultrasonic", {"sensor_id": 64, "wind_direction_deg": 120.0, "wind_ms": wind_m_s}


def _bulge(share: float) -> float:
    """Profile over the height of the chain (0 bottom, 1 top): 0 at the bottom, 1 at a third of it, 0.8 on top."""
    return math.sin(math.pi * share * 1.5) if share <= 1 / 3 else 1 - 0.2 * (share - 1 / 3) * 1.5
