"""Every golden frame of `tests/cases/devices`: the words that a device sent decode to what its display showed."""

import math
from pathlib import Path

import numpy as np
import pytest
import yaml

from drivers.modbus.decode import compile_table
from drivers.modbus.encode import encode_table
from gateway.commissioning.command import load_device_table
from gateway.model.reading import Quality
from tests.fakes.gateway_process import ROOT

CASES = ROOT / "tests" / "cases" / "devices"


@pytest.mark.parametrize("path", sorted(CASES.glob("*.golden.yaml")), ids=lambda path: path.name)
def test_words_decode_to_what_the_display_showed(path: Path) -> None:
    golden = yaml.safe_load(path.read_text(encoding="utf-8"))
    table = load_device_table(str(CASES / f"{golden['table']}.yaml"))
    decoder = compile_table(table)
    image = {
        (function, first + i): word
        for function, runs in golden["words"].items()
        for first, words in runs.items()
        for i, word in enumerate(words)
    }
    blocks = [np.array([image[r.function, a] for a in range(r.address, r.end)], np.uint16) for r in decoder.requests]
    value, quality = decoder.decode(blocks)
    shown = [golden["values"][point.key] for point in table.points]
    assert [q == Quality.GOOD for q in quality] == [one is not None for one in shown]
    for found, wanted in zip(value, shown, strict=True):
        assert math.isnan(found) if wanted is None else found == pytest.approx(wanted, rel=1e-6)
    known = {key: math.nan if one is None else one for key, one in golden["values"].items()}
    encoded = {(f, a): word for f, words in encode_table(table, known).items() for a, word in words.items()}
    assert encoded == image


def test_there_is_a_golden_frame() -> None:
    assert list(CASES.glob("*.golden.yaml"))
