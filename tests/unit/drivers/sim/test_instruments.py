"""The instruments of the bus: what they show means, by the sheets that the site file repeats, what the pit does."""

import math

import numpy as np
import pytest

from drivers.modbus.decode import compile_table
from drivers.sim.crane import CraneTwin
from drivers.sim.instruments import InstrumentModel, bus_units, gauge_hz, node_tilts_deg
from drivers.sim.pit import PitModel, PitTwin
from drivers.sim.registers import RegisterFace, load_table, shipped_tables
from gateway.model.reading import Quality
from gateway.parts.pit.model.inclinometer import InclinometerChain, InclinometerNode
from gateway.parts.pit.model.vibrating_wire import LinearSheet, digits_from_hz

MODEL = InstrumentModel()


def units(wall_top_mm: float = 20.0) -> dict[int, tuple[str, dict[str, float]]]:
    pit = PitTwin("bus", PitModel(wall_top_mm=wall_top_mm))
    return {number: (table, dict(values)) for number, table, values in bus_units(pit.state, CraneTwin("bus").state)}


def test_every_unit_is_readable_by_its_shipped_table_and_only_unconnected_channels_are_bad() -> None:
    bad = set()
    for number, (model, values) in units().items():
        table = load_table(shipped_tables(), model)
        words = RegisterFace(table).words(values)
        decoder = compile_table(table)
        value, quality = decoder.decode([np.array(words[r.address : r.end], np.uint16) for r in decoder.requests])
        for point, found, judged in zip(table.points, value, quality, strict=True):
            if judged == Quality.GOOD:
                assert found == pytest.approx(values[point.key], rel=1e-5, abs=0.06), (number, point.key)
            else:
                bad.add((number, point.key))
    assert bad == {(1, f"ch{i}_hz") for i in range(9, 17)} | {(1, f"temp{i}_degc") for i in range(2, 5)}


@pytest.mark.parametrize("force_kn", [0.0, 900.0, 1800.0, 3000.0])
def test_a_gauges_frequency_gives_its_force_back_by_the_sheet(force_kn: float) -> None:
    sheet = LinearSheet(MODEL.gauge_factor, MODEL.gauge_zero_digits)
    strain = sheet.quantity(digits_from_hz(gauge_hz(force_kn, MODEL)))
    assert strain * 1e-6 * MODEL.strut_ea_kn == pytest.approx(force_kn, abs=0.5)


@pytest.mark.parametrize("largest_mm", [0.0, 22.5, 60.0])
def test_the_chains_tilts_sum_to_a_bulge_of_the_deep_displacement(largest_mm: float) -> None:
    depth_m = MODEL.nodes * MODEL.node_m
    nodes = tuple(InclinometerNode(f"n{i}", MODEL.node_m, depth_m - (i + 1) * MODEL.node_m) for i in range(MODEL.nodes))
    profile = InclinometerChain(nodes).profile_mm(np.array(node_tilts_deg(largest_mm, MODEL)))
    assert profile.max() == pytest.approx(largest_mm, rel=0.05)
    assert profile[-1] == pytest.approx(0.8 * largest_mm)


def test_tanks_rise_by_their_settlement_against_a_reference_that_stays() -> None:
    before, after = units(20.0), units(40.0)
    rise = [after[unit][1]["level_mm"] - before[unit][1]["level_mm"] for unit in (31, 32, 33, 34)]
    assert rise[0] == 0.0
    assert rise[1] > rise[2] > rise[3] > 1.0


@pytest.mark.parametrize("turn", [0, 1, 2])
def test_every_unit_can_be_corrupt(turn: int) -> None:
    for model, values in units().values():
        table = load_table(shipped_tables(), model)
        face, decoder = RegisterFace(table), compile_table(table)
        words = face.corrupt(turn)
        assert len(words) == len(face.words(values))
        _, quality = decoder.decode([np.array(words[r.address : r.end], np.uint16) for r in decoder.requests])
        signed = model in ("tilt-2axis", "inclinometer-node")  # 0xFFFFFFFF is a believable -0.001 degrees
        assert (quality == Quality.BAD).any() or (signed and turn != 1)


def test_no_number_of_a_unit_is_used_twice_and_all_values_are_known() -> None:
    pit = PitTwin("bus").state
    numbers = [number for number, _, _ in bus_units(pit, CraneTwin("bus").state)]
    assert len(set(numbers)) == len(numbers) == 22
    unknown = [key for _, values in units().values() for key, value in values.items() if math.isnan(value)]
    assert len(unknown) == 11
