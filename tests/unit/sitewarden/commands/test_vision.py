import subprocess
import sys
from types import ModuleType

import pytest

from sitewarden.__main__ import main
from sitewarden.commands import vision as vision_arguments


class _Recording(ModuleType):
    """A command that remembers what it was run with."""

    def __init__(self) -> None:
        super().__init__("recording")
        self.seen: list[str] = []

    def add_arguments(self, parser: object) -> None:
        parser.add_argument("--name")  # type: ignore[attr-defined]
        parser.add_argument("source")  # type: ignore[attr-defined]

    def run(self, args: object) -> int:
        self.seen = [args.name, args.source]  # type: ignore[attr-defined]
        return 7


def test_what_follows_the_commands_name_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    recording = _Recording()
    monkeypatch.setitem(sys.modules, "recording", recording)
    monkeypatch.setitem(vision_arguments.COMMANDS, "watch", ("recording", ""))
    assert main(["vision", "watch", "--name", "a", "clip.mp4"]) == 7
    assert recording.seen == ["a", "clip.mp4"]


@pytest.mark.parametrize("name", list(vision_arguments.COMMANDS))
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["vision", name, "--help"])
    assert left.value.code == 0
    assert f"usage: sitewarden vision {name}" in capsys.readouterr().out


def test_a_command_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["vision", "stare"])
    assert left.value.code == 2
    assert "evaluate-edges" in capsys.readouterr().err


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Torch is installed for training only."""
    monkeypatch.setitem(vision_arguments.COMMANDS, "watch", ("vision.training.train", ""))
    assert main(["vision", "watch", "x"]) == 2
    assert "pip install 'sitewarden[training]'" in capsys.readouterr().err


def test_the_command_line_imports_neither_opencv_nor_onnxruntime_nor_pyav() -> None:
    """Each costs a tenth of a second and tens of megabytes, and a box without cameras has none of them."""
    heavy = "import sys, sitewarden.__main__; print(sorted({'cv2', 'onnxruntime', 'av', 'torch'} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True, timeout=100)
    assert told.stdout.strip() == "[]"
