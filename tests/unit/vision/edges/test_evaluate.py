"""`vision evaluate-edges`: figures from a folder, and clear errors for what is none."""

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.fakes.edge_site import Look, bare, painted, survey
from vision.edges.evaluate import add_arguments, run


def camera(folder: Path, missing: list[dict[str, Any]]) -> Path:
    """100 seconds; from second 45 on metres 4 to 7 are bare."""
    (folder / "frames").mkdir(parents=True)
    (folder / "survey.json").write_text(json.dumps(survey().document()), "utf-8")
    cv2.imwrite(str(folder / "reference.png"), painted(seed=99))
    for second in range(100):
        look = bare(Look(), (4.0, 7.0)) if second >= 45 else Look()
        cv2.imwrite(str(folder / "frames" / f"{second:06d}.jpg"), painted(look, second))
    (folder / "truth.json").write_text(json.dumps({"every_s": 1, "missing": missing}))
    return folder


def gap(edge_id: str = "north", from_m: float = 4.0, to_m: float = 7.0) -> dict[str, Any]:
    return {"edge_id": edge_id, "from_m": from_m, "to_m": to_m, "from_s": 45, "to_s": 100, "what": "panels"}


def evaluated(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any], str]:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    code = run(parser.parse_args([str(folder), "--json"]))
    said = capsys.readouterr()
    return code, json.loads(said.out.splitlines()[-1]), said.err


def test_a_found_section_and_its_delay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    camera(tmp_path / "camera-1", [gap()])
    code, said, _ = evaluated(tmp_path, capsys)
    assert code == 0
    assert (said["sections"], said["found"], said["false_sections"]) == (1, 1, 0)
    assert 30 <= said["delay_s"]["p50"] <= 50
    assert 0 < said["unknown_share"] < 0.6


def test_what_is_not_in_the_truth_is_a_false_section(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    camera(tmp_path / "camera-1", [gap(from_m=9.5, to_m=11.5)])
    _, said, _ = evaluated(tmp_path, capsys)
    assert (said["sections"], said["found"], said["false_sections"]) == (1, 0, 1)


def test_tape_is_open_from_the_first_second_on_and_never_ok(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taped = camera(tmp_path / "camera-1", [gap(from_m=0.0, to_m=12.0) | {"from_s": 0}])
    document = json.loads((taped / "survey.json").read_text("utf-8"))
    document["edges"][0]["protection"] = "tape"
    (taped / "survey.json").write_text(json.dumps(document), "utf-8")
    _, said, _ = evaluated(tmp_path, capsys)
    assert (said["sections"], said["found"], said["missed_and_called_ok"], said["false_sections"]) == (1, 1, 0, 0)
    assert (said["delay_s"]["p50"], said["unknown_share"]) == (0, 0.0)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("survey.json", b"{", "expected JSON"),
        ("survey.json", b"{}", "camera"),
        ("truth.json", b"{}", "expected every_s"),
        ("reference.png", b"no picture", "not a picture"),
        ("frames/000007.jpg", b"\xff\xd8\xff", "not a picture"),
    ],
)
def test_a_spoilt_file_is_named_and_the_others_are_evaluated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes, told: str
) -> None:
    camera(tmp_path / "camera-1", [gap()])
    spoilt = camera(tmp_path / "camera-2", [gap()])
    (spoilt / name).write_bytes(content)
    code, said, errors = evaluated(tmp_path, capsys)
    assert code == 1
    assert said["cameras"] == 1
    assert Path(name).name in errors
    assert told in errors


def test_a_folder_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said, errors = evaluated(tmp_path / "nowhere", capsys)
    assert code == 1
    assert said["sections"] == 0
    assert "survey.json" in errors


def test_both_generators_render_the_same_day_twice() -> None:
    from bench.edge_scenes import Scene as First
    from bench.edge_scenes_second import Scene as Second

    for generator in (First, Second):
        one, two = (generator(5).frame_at(43_200) for _ in range(2))
        assert np.array_equal(one[0], two[0])
        assert np.array_equal(one[1], two[1])
