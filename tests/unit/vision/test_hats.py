from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.hats import KINDS, TABLE, Hat, called, main, measure, read_table, shares
from tests.fakes.block_model import CELL, COLOURS, paint, write_block_model
from vision.detector import open_detector

SOURCES = "file,set,core,person_labels\nimages/{0},scut_b,0,pseudo\n"


def box(column: int, row: int) -> tuple[float, ...]:
    return tuple(float(CELL * side) for side in (column, row, column + 1, row + 1))


def data_of(folder: Path, picture: np.ndarray) -> Path:
    (folder / "helmets" / "images").mkdir(parents=True)
    cv2.imwrite(str(folder / "helmets" / "images" / "a.png"), picture)
    (folder / "helmets" / "sources.csv").write_text(SOURCES.format("a.png"), encoding="utf-8")
    return folder


def test_the_table_has_every_kind_and_names_no_head_twice() -> None:
    hats = read_table()
    assert {hat.kind for hat in hats} == set(KINDS)
    assert len({(hat.picture, hat.box_xyxy_px) for hat in hats}) == len(hats) > 150


def test_a_kind_that_is_none_is_refused(tmp_path: Path) -> None:
    rows = TABLE.read_text(encoding="utf-8").splitlines()
    (tmp_path / "t.csv").write_text(f"{rows[0]}\na.jpg,crown,0,0,9,9\n", encoding="utf-8")
    with pytest.raises(ValueError, match="crown"):
        read_table(tmp_path / "t.csv")


def test_a_head_is_called_what_lies_on_it(tmp_path: Path) -> None:
    detector = open_detector(write_block_model(tmp_path / "model"))
    hats = [Hat("a.png", "cap", box(2, 3)), Hat("a.png", "cap", box(9, 1)), Hat("a.png", "brim", box(5, 5))]
    picture = paint([("helmet", 2, 3), ("head", 9, 1), ("person", 5, 5)])
    assert [called(detector.see([picture])[0], hat) for hat in hats] == ["helmet", "bare", "not_told"]
    told = measure(data_of(tmp_path, picture), detector, hats)
    assert told["all"]["cap"] == told["unseen"]["cap"]
    assert told["all"]["all"]["called_helmet"] == pytest.approx(1 / 3, abs=1e-3)


def test_the_margin_is_tried_without_another_entry(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = paint([("head", 2, 3)])
    picture[3 * CELL : 3 * CELL + 11, 2 * CELL : 3 * CELL] = COLOURS["helmet"]
    model = write_block_model(tmp_path / "model")
    detector = open_detector(model)
    assert called(detector.see([picture])[0], Hat("a.png", "cap", box(2, 3))) == "helmet"
    assert main([str(data_of(tmp_path, picture)), "--model", str(model), "--margin", "2", "--json"]) == 2
    assert '"margin": 2.0' in capsys.readouterr().out


def test_few_heads_have_a_wide_interval() -> None:
    row = shares(Counter(helmet=1, bare=3))
    assert (row["n"], row["called_helmet"]) == (4, 0.25)
    assert row["interval"][0] < 0.06
    assert row["interval"][1] > 0.65
