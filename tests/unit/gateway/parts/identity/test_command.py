"""The command as it is typed; numbers come on standard input, and none is ever printed."""

import io
import re
from pathlib import Path

import pytest

from gateway.parts.identity.file import KEY_FILE, SEALED_FILE, new_key
from gateway.parts.identity.identity import Identities
from kit.secret import Secret
from sitewarden.__main__ import main

NUMBER = "99000019000101001X"


class Shell:
    """Types commands, and holds everything that was ever printed."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.printed = ""
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def type(self, name: str, *arguments: str, given: str = "", status: int = 0) -> str:
        self._monkeypatch.setattr("sys.stdin", io.StringIO(given))
        assert main(["identity", name, str(self.folder), *arguments]) == status
        captured = self._capsys.readouterr()
        self.printed += captured.out + captured.err
        return captured.out + captured.err

    def add(self, *arguments: str, given: str = NUMBER) -> str:
        found = re.search(r"added: ([0-9a-f]{16})", self.type("add", *arguments, given=f"{given}\n"))
        assert found is not None
        return found[1]


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(tmp_path, capsys, monkeypatch)


def test_a_driver_is_added_certified_and_listed_masked(shell: Shell) -> None:
    person_id = shell.add("司机甲", "--role", "driver", "--driver-no", "007", "--asset", "crane-1")
    assert "check character does not fit" in shell.printed
    shell.type("certify", person_id, "--kind", "tower-crane-driver", "--until", "2027-05-31", given=f"T{NUMBER}\n")
    listed = shell.type("list")
    assert person_id in listed
    for part in ("司**", "99**************1X", "driver", "crane-1:7", "tower-crane-driver T9***", "2027-05-31"):
        assert part in listed
    assert NUMBER not in shell.printed
    assert "司机甲" not in shell.printed
    standing = Identities(shell.folder).standing("crane-1", "7")
    assert standing is not None
    assert str(standing.driver_until) == "2027-05-31"


def test_a_person_may_be_added_without_an_id_number(shell: Shell) -> None:
    shell.add("信号工乙", "--without-id-number", "--role", "safety-officer")
    assert "safety_officer" in shell.type("list")


@pytest.mark.parametrize("given", ["99000019000101001\n", "990000190013010010\n", "\n", ""])
def test_an_id_number_of_no_form_adds_nobody_and_makes_no_file(shell: Shell, given: str) -> None:
    assert "not done: " in shell.type("add", "司机乙", given=given, status=1)
    assert not given.strip() or given.strip() not in shell.printed
    assert not (shell.folder / SEALED_FILE).exists()


def test_a_table_is_imported_whole_or_not_at_all(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "persons.csv"
    file.write_text(f"姓名,身份证号,司机编号\n司机甲,{NUMBER},7\n司机乙,不是号码,8\n", encoding="utf-8")
    assert "not imported: line 3: id_number" in shell.type("import", str(file), status=1)
    assert not (tmp_path / SEALED_FILE).exists()
    file.write_text(f"姓名,身份证号,司机编号\n司机甲,{NUMBER},7\n司机乙,,8\n", encoding="gb18030")
    said = shell.type("import", str(file))
    assert "imported: 2" in said
    assert "delete the file" in said
    assert NUMBER not in shell.printed
    assert Identities(tmp_path).person_of("crane-1", "8") is not None


def test_a_key_is_rotated_and_a_person_taken_out(shell: Shell, tmp_path: Path) -> None:
    person_id = shell.add("司机甲")
    before = (tmp_path / KEY_FILE).read_text()
    shell.type("rotate-key")
    assert (tmp_path / KEY_FILE).read_text() != before
    shell.type("forget", person_id)
    assert shell.type("list") == ""
    assert "no person has this id" in shell.type("forget", person_id, status=1)


def test_keys_may_be_kept_elsewhere(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE_IDENTITY_KEY", new_key().text)
    (tmp_path / "elsewhere").write_text(new_key().text)
    shell.add("司机甲", "--key-env", "SITE_IDENTITY_KEY")
    assert not (tmp_path / KEY_FILE).exists()
    assert "No such file" in shell.type("list", status=1)
    shell.type("rotate-key", "--key-env", "SITE_IDENTITY_KEY", "--new-key-file", str(tmp_path / "elsewhere"))
    assert "another key" in shell.type("list", "--key-env", "SITE_IDENTITY_KEY", status=1)
    assert len(Identities(tmp_path, Secret(file=tmp_path / "elsewhere")).masked()) == 1


@pytest.mark.parametrize("name", ["list", "rotate-key"])
def test_a_folder_without_a_file_says_how_to_make_one(shell: Shell, name: str) -> None:
    shell.type(name, status=1)
    assert "identity.sealed" in shell.printed


@pytest.mark.parametrize(
    "arguments",
    [
        ["add", "F", "司机甲", "--role", "pilot"],
        ["certify", "F", "id", "--kind", "pilot", "--until", "2027-05-31"],
        ["certify", "F", "id", "--kind", "erector", "--until", "31.05.2027"],
        ["list", "F", "--key-env", "A", "--key-file", "B"],
    ],
)
def test_arguments_that_are_wrong_end_with_two(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["identity", *arguments])
    assert caught.value.code == 2


def test_a_name_that_is_none_ends_with_two(shell: Shell) -> None:
    assert "name: expected 1 to 50 letters" in shell.type("add", "007", status=2)
