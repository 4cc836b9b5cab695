from pathlib import Path

import numpy as np
import pytest

from drivers.modbus.decode import compile_table
from drivers.modbus.settings import ModbusTable
from drivers.sim.crane import CraneTwin
from drivers.sim.pit import PitTwin
from drivers.sim.registers import RegisterFace, load_table, shipped_tables
from drivers.sim.station import as_displayed, values_of
from gateway.model.reading import Quality

TABLES = ["crane-host-modbus", "pit-logger-modbus"]


def read(table: ModbusTable, words: list[int]):
    """What the gateway's own decoder makes of a twin's words."""
    decoder = compile_table(table)
    blocks = [np.array(words[r.address : r.address + r.count], dtype=np.uint16) for r in decoder.requests]
    value, quality = decoder.decode(blocks)
    return dict(zip((p.key for p in table.points), zip(value, quality, strict=True), strict=True))


@pytest.mark.parametrize("twin", [CraneTwin("r"), PitTwin("r")], ids=TABLES)
def test_registers_decode_back_to_the_displayed_state(twin: CraneTwin | PitTwin) -> None:
    table = load_table(shipped_tables(), TABLES[isinstance(twin, PitTwin)])
    face = RegisterFace(table)
    step = {point.key: 1e-5 if point.type.is_float else 0.51 * point.scale for point in table.points}
    for _ in range(200):
        shown = as_displayed(values_of(twin.step(0.5, 5.0)))
        decoded = read(table, face.words(shown))
        assert decoded.keys() == shown.keys()
        for key, (value, quality) in decoded.items():
            assert quality == Quality.GOOD, key
            assert value == pytest.approx(shown[key], rel=1e-6, abs=step[key])


@pytest.mark.parametrize("model", TABLES)
@pytest.mark.parametrize("turn", [0, 1, 2])
def test_corrupt_registers_are_bad_to_a_careful_reader(model: str, turn: int) -> None:
    table = load_table(shipped_tables(), model)
    decoded = read(table, RegisterFace(table).corrupt(turn))
    bad = {key for key, (_, quality) in decoded.items() if quality == Quality.BAD}
    floats = {point.key for point in table.points if point.type.is_float and point.max < 65535}
    assert floats <= bad
    assert len(bad) >= 5


@pytest.mark.parametrize(("pct", "reaches"), [(99.994, False), (99.996, True), (100.0, True), (99.99, False)], ids=str)
def test_what_is_displayed_and_what_is_read_agree_on_the_limit(pct: float, reaches: bool) -> None:
    table = load_table(shipped_tables(), "crane-host-modbus")
    shown = as_displayed({"moment_pct": pct})
    value, _ = read(table, RegisterFace(table).words(shown))["moment_pct"]
    assert (shown["moment_pct"] >= 100) == reaches
    assert (value >= 100) == reaches


def test_a_slew_angle_never_reads_a_full_turn() -> None:
    assert as_displayed({"slew_deg": 359.998})["slew_deg"] == 0.0


def test_a_table_with_other_functions_is_refused() -> None:
    table = load_table(shipped_tables(), "crane-host-modbus")
    other = table.model_copy(update={"points": tuple(p.model_copy(update={"function": 4}) for p in table.points)})
    with pytest.raises(ValueError, match="expected 3 only"):
        RegisterFace(other)


def test_a_missing_table_names_its_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="crane-host-modbus"):
        load_table(tmp_path, "crane-host-modbus")
