"""What light lay beside a column when it was last seen protected."""

import numpy as np
import pytest

from vision.edges.light import Floats, LightMemory

ROWS, COLUMNS = 52, 120
PATTERN = np.ones(COLUMNS, np.float32)


def strip(level: float = 100.0) -> Floats:
    """A plain strip with a little structure across it."""
    return np.full((ROWS, COLUMNS), level, np.float32) + np.arange(ROWS, dtype=np.float32)[:, None]


def memory() -> LightMemory:
    return LightMemory(strip(), np.ones((ROWS, COLUMNS), np.float32), np.zeros(COLUMNS, bool))


def change(light: LightMemory, level: Floats, seen: float = 1.0) -> Floats:
    return light.change(light.bands(level, np.full_like(level, seen)), PATTERN)


def test_the_same_light_is_no_change_and_neither_is_another_exposure() -> None:
    light = memory()
    assert change(light, strip()).max() < 0.001
    brighter = np.exp(np.log(strip() + 6) + 0.5).astype(np.float32) - 6
    assert change(light, brighter).max() < 0.01


@pytest.mark.parametrize("rows", [slice(0, 26), slice(26, 52)], ids=["above", "under"])
def test_a_shadow_beside_some_columns_is_another_light_there_and_only_there(rows: slice) -> None:
    shaded = strip()
    shaded[rows, 20:50] *= 0.6
    found = change(memory(), shaded)
    assert found[30:40].min() > 0.2
    assert found[70:].max() < 0.05


def test_a_column_remembers_the_light_in_which_it_was_seen_protected() -> None:
    light, shaded = memory(), strip()
    shaded[:26, :60] *= 0.6
    kept = np.arange(COLUMNS) < 30
    for _ in range(60):
        light.remember(light.bands(shaded, np.ones_like(shaded)), PATTERN, PATTERN, kept, 1.0)
    found = change(light, shaded)
    assert found[:20].max() < 0.05
    assert found[40:55].min() > 0.2


def test_the_exposure_is_taken_from_columns_that_were_seen_lately() -> None:
    """Most of the edge was not seen since another light: what it remembers says nothing of the exposure."""
    light, night = memory(), strip()
    night[:, 30:] = np.linspace(20, 160, ROWS, dtype=np.float32)[:, None]
    for _ in range(60):
        light.remember(light.bands(night, np.ones_like(night)), PATTERN, PATTERN, np.arange(COLUMNS) < 25, 1.0)
    found = change(light, night)
    assert found[:15].max() < 0.03
    assert found[60:].min() > 0.1


def test_where_nothing_is_seen_nothing_is_the_same() -> None:
    assert np.isinf(change(memory(), strip(), seen=0.0)).all()


def test_what_is_hidden_is_not_remembered() -> None:
    light, dark = memory(), strip()
    dark[:20] *= 0.3
    seen = np.ones_like(dark)
    seen[:, :60] = 0
    for _ in range(60):
        light.remember(light.bands(dark, seen), PATTERN, PATTERN, np.ones(COLUMNS, bool), 1.0)
    mixed = strip()
    mixed[:, 60:] = dark[:, 60:]
    away_from_the_border = np.abs(np.arange(COLUMNS) - 60) > 20
    assert change(light, mixed)[away_from_the_border].max() < 0.05
    assert change(light, dark)[:40].min() > 0.2


def test_a_pattern_beside_the_protection_that_falls_apart_is_another_light() -> None:
    light, same = memory(), strip()
    now = light.bands(same, np.ones_like(same))
    light.remember(now, PATTERN, PATTERN, np.ones(COLUMNS, bool), 1.0)
    worse = np.where(np.arange(COLUMNS) < 40, 0.6, 1.0).astype(np.float32)
    found = light.change(now, worse)
    assert found[:40].min() > 0.08
    assert found[55:].max() < 0.01


def test_no_pattern_is_no_change() -> None:
    light, same = memory(), strip()
    now = light.bands(same, np.ones_like(same))
    light.remember(now, PATTERN, PATTERN, np.ones(COLUMNS, bool), 1.0)
    assert light.change(now, np.full(COLUMNS, np.nan, np.float32)).max() < 0.01


def test_a_change_reaches_the_neighbours_but_not_from_where_nothing_is_ever_seen() -> None:
    shaded = strip()
    shaded[:, 40:60] *= 0.5
    blank = np.zeros(COLUMNS, bool)
    blank[30:70] = True
    pillar = LightMemory(strip(), np.ones((ROWS, COLUMNS), np.float32), blank)
    assert change(memory(), shaded)[34] > 0.1
    assert change(pillar, shaded)[25] < 0.05


def test_an_exposure_that_drifts_is_no_change_for_what_was_not_seen_since() -> None:
    light, seen = memory(), np.arange(COLUMNS) < 80
    for step in range(100):
        dimmer = (np.exp(np.log(strip() + 6) - 0.01 * step) - 6).astype(np.float32)
        light.remember(light.bands(dimmer, np.ones_like(dimmer)), PATTERN, PATTERN, seen, 10.0)
    assert change(light, dimmer).max() < 0.02


def test_a_neighbour_that_was_never_seen_protected_does_not_bring_in_the_light_of_the_reference() -> None:
    light, night = memory(), strip()
    night[:26, 40:] *= 0.5
    seen = np.arange(COLUMNS) < 60
    for _ in range(60):
        light.remember(light.bands(night, np.ones_like(night)), PATTERN, PATTERN, seen, 1.0)
    now = light.bands(night, np.ones_like(night))
    found = light.change(now, PATTERN, by_lamps=True)
    assert found[52:60].max() < 0.05
    assert found[80:].min() > 0.2
    assert light.change(now, PATTERN)[52:60].min() > 0.1, "by day a neighbour in another light is a doubt"


def test_what_is_usual_rises_in_half_a_minute_and_is_forgotten_over_minutes_but_not_for_what_sank() -> None:
    light, same = memory(), strip()
    everywhere = np.ones(COLUMNS, bool)

    def shown(score: float, seconds: int) -> float:
        for _ in range(seconds):
            now = light.bands(same, np.ones_like(same))
            light.remember(now, PATTERN, np.full(COLUMNS, score, np.float32), everywhere, 1.0)
        return float(light.usual.mean())

    assert shown(0.6, 1) == pytest.approx(0.6), "what was never seen protected is taken as it is"
    assert shown(0.95, 60) > 0.88
    assert shown(0.6, 600) > 0.85, "it sank, in the very same light"
    assert shown(0.8, 10) > 0.85, "while the average of the pictures fades"
    assert shown(0.8, 1200) < 0.82
