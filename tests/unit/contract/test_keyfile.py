"""Private keys on disk."""

import stat
from pathlib import Path

import pytest

from contract.keyfile import load_or_create, write_durably


def test_a_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "box.pem"
    first = load_or_create(path)
    assert load_or_create(path).public.key_id == first.public.key_id
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("content", [b"", b"secret rubbish 4711", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END"])
def test_a_file_that_is_no_key_is_named_and_not_shown_or_overwritten(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "box.pem"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"box\.pem") as caught:
        load_or_create(path)
    assert "4711" not in str(caught.value)
    assert path.read_bytes() == content


def test_replacing_a_file_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "number"
    for number in range(3):
        write_durably(path, str(number).encode())
    assert [entry.name for entry in tmp_path.iterdir()] == ["number"]
    assert path.read_bytes() == b"2"


def test_a_folder_that_cannot_be_written_is_an_os_error_and_the_old_file_stays(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="file"):
        write_durably(tmp_path / "file" / "below", b"x")
