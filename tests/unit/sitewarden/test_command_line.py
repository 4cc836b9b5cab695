"""The command line: one table of commands, help without imports, completion of what there is."""

import subprocess
import sys

import pytest

from sitewarden.__main__ import ADDERS, whole_parser
from sitewarden.command_table import COMMANDS, GROUPS
from sitewarden.completion import completion_script

HEAVY = ("pydantic", "numpy", "fastapi", "sqlalchemy", "cv2", "gateway.settings", "sitewarden.composition.box")


def loaded_by(*words: str) -> set[str]:
    """Modules that the process has imported when it has answered."""
    program = (
        "import sys\nfrom sitewarden.__main__ import main\ntry:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
    )
    program += "print('MODULES', *sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=True)
    return set(answer.stdout.rpartition("MODULES ")[2].split())


@pytest.mark.parametrize(
    "words", [("--help",), ("run", "--help"), ("check", "--help"), ("init", "--help"), ("--version",)]
)
def test_help_imports_nothing_heavy(words: tuple[str, ...]) -> None:
    assert loaded_by(*words).isdisjoint(HEAVY)


def test_every_command_has_a_group_a_text_and_arguments() -> None:
    assert set(ADDERS) == set(COMMANDS)
    assert sum(len(commands) for commands in GROUPS.values()) == len(COMMANDS)
    assert all(command.zh and command.en for command in COMMANDS.values())


def test_a_completion_script_names_every_command_and_its_options() -> None:
    for shell in ("bash", "zsh", "fish"):
        script = completion_script(shell, whole_parser())
        assert all(name in script for name in COMMANDS)
        assert "--log-daily" in script


def test_bash_takes_the_script_and_completes(tmp_path) -> None:
    script = tmp_path / "sitewarden.bash"
    script.write_text(completion_script("bash", whole_parser()))
    asked = f'source {script}; COMP_WORDS=(sitewarden run --log-d); COMP_CWORD=2; _sitewarden; echo "${{COMPREPLY[@]}}"'
    answer = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["--log-daily"]
