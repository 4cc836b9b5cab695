import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import pytest

from gateway.model.detections import SeenClass
from tests.fakes.block_model import BLUE, CELL, SIZE, paint, write_block_model
from vision.evaluation.evaluate import add_arguments, run

Block = tuple[str, int, int]


class Data:
    """A folder of pictures and labels in the making."""

    def __init__(self, folder: Path) -> None:
        self.images, self.labels = folder / "images", folder / "labels"
        self.images.mkdir(parents=True)
        self.labels.mkdir()

    def add(self, name: str, painted: list[Block], labelled: list[Block], cell: int = CELL) -> None:
        """Blocks of `cell` pixels; the picture grows with the cell, so that the model sees its own cells."""
        width, height = SIZE[0] * cell // CELL, SIZE[1] * cell // CELL
        cv2.imwrite(str(self.images / f"{name}.png"), paint(painted, width, height, cell))
        rows = [
            f"{SeenClass[kind.upper()].value} {(column + 0.5) * cell / width} {(row + 0.5) * cell / height} "
            f"{cell / width} {cell / height}"
            for kind, column, row in labelled
        ]
        (self.labels / f"{name}.txt").write_text("\n".join(rows))


def _run(arguments: Sequence[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any], str]:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    status = run(parser.parse_args(arguments))
    told = capsys.readouterr()
    return status, json.loads(told.out.splitlines()[-1]) if told.out else {}, told.err


def _arguments(data: Data, model: Path, *more: str) -> list[str]:
    return ["--images", str(data.images), "--labels", str(data.labels), "--model", str(model), "--json", *more]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_block_model(tmp_path / "model")


@pytest.fixture
def data(tmp_path: Path) -> Data:
    return Data(tmp_path / "data")


def test_figures_of_a_worked_example(data: Data, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data.add("a", [("helmet", 1, 1), ("helmet", 5, 5), ("head", 9, 9)], [("helmet", 1, 1), ("head", 9, 9)])
    data.add("b", [("helmet", 3, 3)], [("helmet", 3, 3), ("helmet", 8, 3)])
    status, said, _ = _run(_arguments(data, model, "--bootstrap", "50"), capsys)
    helmet, head = said["classes"]["helmet"], said["classes"]["head"]
    assert status == 0
    assert (helmet["n"], helmet["found"], helmet["false"]) == (3, 2, 1)
    assert helmet["precision"] == helmet["recall"] == helmet["f1"] == pytest.approx(2 / 3, abs=1e-4)
    assert (head["precision"], head["recall"], head["f1"], head["ap50"], head["n"]) == (1.0, 1.0, 1.0, 1.0, 1)
    assert helmet["interval"]["f1"][0] <= helmet["f1"] <= helmet["interval"]["f1"][1]
    assert said["threshold"] == {"helmet": 0.5, "head": 0.5}
    assert said["images"] == 2
    assert said["model"].startswith("blocks 1 ")
    assert 0 < said["ms_inference_per_image"] < said["ms_per_image"]


def test_persons_are_reported_where_any_is_labelled(
    data: Data, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data.add("a", [("person", 1, 1)], [("person", 1, 1)])
    _, said, _ = _run(_arguments(data, model), capsys)
    assert said["classes"]["person"]["f1"] == 1.0
    assert said["classes"]["head"]["n"] == 0
    assert said["classes"]["head"]["recall"] is None, "nothing labelled has no recall, not a recall of 0"


def test_sizes_are_counted_apart_and_small_heads_can_be_left_out(
    data: Data, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data.add("small", [("helmet", 1, 1), ("helmet", 3, 1)], [("helmet", 1, 1), ("helmet", 9, 9)])
    data.add("large", [("helmet", 1, 1)], [("helmet", 1, 1)], cell=2 * CELL)
    _, said, _ = _run(_arguments(data, model), capsys)
    sizes = said["classes"]["helmet"]["sizes"]
    assert [(sizes[bucket]["n"], sizes[bucket]["found"]) for bucket in ("<12", "12-20", "20-32", "32-64")] == [
        (0, 0),
        (2, 1),
        (0, 0),
        (1, 1),
    ]
    assert (sizes["12-20"]["false"], sizes["32-64"]["false"]) == (1, 0)
    _, said, _ = _run(_arguments(data, model, "--min-head-px", "20"), capsys)
    assert said["classes"]["helmet"]["n"] == 1
    assert said["classes"]["helmet"]["f1"] == 1.0


def test_bad_files_are_named_and_kept_out_and_the_rest_counts(
    data: Data, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data.add("good", [("helmet", 1, 1)], [("helmet", 1, 1)])
    data.add("label", [("helmet", 1, 1)], [])
    (data.labels / "label.txt").write_text("0 12 3 4 5")
    data.add("lost", [], [])
    (data.labels / "lost.txt").unlink()
    data.add("torn", [], [])
    torn = data.images / "torn.png"
    torn.write_bytes(torn.read_bytes()[:-40])
    (data.images / "none.jpg").write_text("<html>404</html>")
    status, said, err = _run(_arguments(data, model), capsys)
    assert status == 1
    assert said["images"] == said["classes"]["helmet"]["n"] == 1
    reasons = {one["file"]: one["reason"] for one in said["skipped"]}
    assert set(reasons) == {"label.png", "lost.png", "torn.png", "none.jpg"}
    assert "fractions" in reasons["label.png"]
    assert "no such label file" in reasons["lost.png"]
    assert "truncated PNG" in reasons["torn.png"]
    assert all(reason in err for reason in reasons.values())


def test_a_folder_in_which_nothing_can_be_used_is_status_2(
    data: Data, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data.images / "none.jpg").write_text("no picture")
    status, said, err = _run(_arguments(data, model), capsys)
    assert (status, said) == (2, {})
    assert "none.jpg: no picture that can be decoded" in err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--images", "nowhere", "--labels", "."], "nowhere: no such folder"),
        (["--images", ".", "--labels", "."], "no picture"),
        (["--images", "."], "--images and --labels expected, or --folds"),
        (["--folds", "none.json"], "none.json: No such file"),
        (["--folds", "none.json", "--images", "."], "--folds names the pictures itself"),
        (["--images", ".", "--labels", ".", "--only", "none.txt"], "none.txt: "),
        (["--images", ".", "--labels", ".", "--model", "none.yaml"], "none.yaml: No such file"),
    ],
)
def test_arguments_that_lead_nowhere_are_status_2(
    arguments: list[str],
    reason: str,
    model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    status, said, err = _run([*([] if "--model" in arguments else ["--model", str(model)]), *arguments], capsys)
    assert (status, said) == (2, {})
    assert reason in err


@pytest.mark.parametrize("text", ["1.5", "0", "helmet=x", "hat=0.5", ""])
def test_a_threshold_that_is_none_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["--threshold", text])
    assert "--threshold" in capsys.readouterr().err


def test_a_threshold_on_the_command_line_replaces_the_entrys(
    data: Data, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = write_block_model(tmp_path / "model", thresholds={"helmet": 0.5, "head": 0.5, "person": 0.5})
    data.add("a", [("helmet", 1, 1)], [("helmet", 1, 1)])
    picture = cv2.imread(str(data.images / "a.png"))
    picture[CELL : 2 * CELL, CELL : CELL + CELL // 2] = 114  # half of the cell: score 0.5
    picture[CELL : 2 * CELL, CELL : CELL + CELL // 4] = (255, 0, 0)  # and a quarter back: 0.75
    cv2.imwrite(str(data.images / "a.png"), picture)
    _, said, _ = _run(_arguments(data, model, "--threshold", "helmet=0.7"), capsys)
    assert said["classes"]["helmet"]["found"] == 1
    assert said["threshold"] == {"helmet": 0.7, "head": 0.5}
    _, said, _ = _run(_arguments(data, model, "--threshold", "0.8"), capsys)
    assert said["classes"]["helmet"]["found"] == 0
    assert said["classes"]["helmet"]["ap50"] == 1.0, "the curve goes on below the threshold"
    assert said["classes"]["helmet"]["curve"]["best_f1_at"] == pytest.approx(0.75, abs=0.01)


def test_both_backends_say_the_same(data: Data, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data.add("a", [("helmet", 1, 1), ("head", 4, 4)], [("helmet", 1, 1), ("head", 5, 4)])
    said = [_run(_arguments(data, model, "--backend", backend), capsys)[1] for backend in ("onnxruntime", "opencv")]
    assert said[0]["classes"] == said[1]["classes"]
    assert [one["backend"] for one in said] == ["onnxruntime", "opencv"]


def test_only_the_pictures_listed_count(
    data: Data, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b", "c"):
        data.add(name, [("helmet", 1, 1)], [("helmet", 1, 1)])
    (tmp_path / "list.txt").write_text("images/a.png\nc\n")
    _, said, _ = _run(_arguments(data, model, "--only", str(tmp_path / "list.txt")), capsys)
    assert said["images"] == 2


def test_folds_are_pooled_each_at_the_thresholds_of_its_own_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    strict = {"helmet": 0.9, "head": 0.9, "person": 0.9}
    write_block_model(tmp_path / "first")
    write_block_model(tmp_path / "second", thresholds=strict)
    first, second = Data(tmp_path / "one"), Data(tmp_path / "two")
    first.add("a", [("helmet", 1, 1)], [("helmet", 1, 1)])
    second.add("b", [("helmet", 1, 1), ("helmet", 4, 4)], [("helmet", 1, 1)])
    folds = [
        {"name": "one", "model": "first/blocks.yaml", "images": "one/images", "labels": "one/labels"},
        {"name": "two", "model": "second/blocks.yaml", "images": "two/images", "labels": "two/labels"},
    ]
    (tmp_path / "folds.json").write_text(json.dumps(folds))
    status, said, _ = _run(["--folds", str(tmp_path / "folds.json"), "--json"], capsys)
    assert status == 0
    assert said["threshold"]["helmet"] == [0.5, 0.9]
    assert (said["classes"]["helmet"]["n"], said["classes"]["helmet"]["false"]) == (2, 1)
    assert [fold["classes"]["helmet"]["n"] for fold in said["folds"]] == [1, 1]
    assert [fold["set"] for fold in said["folds"]] == ["one", "two"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[", "no JSON"),
        ("[]", "at least one fold expected"),
        ('[{"name": "a"}]', "0.model: Field required"),
        ('[{"name": "a", "model": "m", "images": "i", "labels": "l", "extra": 1}]', "0.extra: Extra inputs"),
    ],
)
def test_a_folds_file_that_is_none_is_named(
    text: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folds.json").write_text(text)
    status, _, err = _run(["--folds", str(tmp_path / "folds.json")], capsys)
    assert status == 2
    assert reason in err


def test_tiles_find_what_the_full_view_is_too_coarse_for(
    data: Data, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A block of half a cell fills a quarter of its cell in the full view, and most of one when its tile is enlarged
    1.8 times."""
    picture = paint([])
    picture[9:17, 9:17] = BLUE
    cv2.imwrite(str(data.images / "far.png"), picture)
    (data.labels / "far.txt").write_text(f"0 {13 / SIZE[0]} {13 / SIZE[1]} {8 / SIZE[0]} {8 / SIZE[1]}")
    _, plain, _ = _run(_arguments(data, model), capsys)
    _, tiled, _ = _run(_arguments(data, model, "--tiles", "2x2"), capsys)
    assert plain["classes"]["helmet"]["found"] == 0
    assert (tiled["classes"]["helmet"]["found"], tiled["classes"]["helmet"]["false"]) == (1, 0)
    assert tiled["tiles"] == "2x2"


@pytest.mark.parametrize("text", ["2", "0x2", "2x9", "axb"])
def test_tiles_that_are_none_are_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["--tiles", text])
    assert "columns x rows" in capsys.readouterr().err
