"""The hardware for a model: names that onnxruntime knows, and a clear fault for one that this box has not."""

from pathlib import Path

import onnxruntime
import pytest

from sitewarden.__main__ import main
from tests.fakes.block_model import write_block_model
from vision.detector.engine import OnnxruntimeEngine
from vision.detector.faults import ModelError
from vision.detector.registry import read_model
from vision.process.providers import CPU, PROVIDERS, available

ABSENT = next(name for name, theirs in PROVIDERS.items() if theirs not in onnxruntime.get_available_providers())
SITE = """\
version: 1
box: {{id: box-1}}
site: {{project_code: P-1, title_zh: 工地, title_en: Site}}
storage: {{folder: {folder}}}
rule_packs: [national]
assets:
  - {{id: cam-1, kind: camera-post, serial: C-1, title_zh: 摄像机, title_en: Camera}}
links:
  - {{id: cam-1, driver: camera, source: "rtsp://127.0.0.1:1/x"}}
devices:
  - {{id: cam-1-eye, link: cam-1, asset: cam-1, table: site-camera, {extra}}}
"""


def test_onnxruntime_knows_every_name() -> None:
    assert set(PROVIDERS.values()) <= set(onnxruntime.get_all_providers())


def test_what_is_available_is_what_onnxruntime_says() -> None:
    assert {PROVIDERS[name] for name in available()} == set(PROVIDERS.values()) & set(
        onnxruntime.get_available_providers()
    )
    assert "cpu" in available()


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        (f"provider: {ABSENT}", f"does not bring {ABSENT} ({PROVIDERS[ABSENT]}); available here: cpu"),
        ("provider: gpu9", "provider"),
        ("backend: opencv, provider: openvino", "provider"),
    ],
    ids=["not here", "no such", "not with opencv"],
)
def test_a_wrong_provider_is_a_fault_of_the_check_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], extra: str, says: str
) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(SITE.format(folder=tmp_path / "box", extra=extra))
    assert main(["check", str(file)]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert ":11" in said


def test_the_processor_passes_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(SITE.format(folder=tmp_path / "box", extra="provider: cpu"))
    assert main(["check", str(file)]) == 0, capsys.readouterr().err


def test_a_provider_that_does_not_start_is_an_error_and_never_the_processor_instead(tmp_path: Path) -> None:
    model = read_model(write_block_model(tmp_path))
    OnnxruntimeEngine(onnxruntime, model, 1, CPU)
    with pytest.raises(ModelError, match=PROVIDERS[ABSENT]):
        OnnxruntimeEngine(onnxruntime, model, 1, PROVIDERS[ABSENT])
