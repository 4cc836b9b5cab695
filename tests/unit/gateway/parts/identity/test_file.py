import stat
from pathlib import Path

import pytest

from gateway.parts.identity.file import (
    KEY_FILE,
    LOCK_FILE,
    NEXT_KEY_FILE,
    SEALED_FILE,
    IdentityError,
    IdentityFile,
    new_key,
    parse_key,
)
from kit.secret import Secret

CONTENT = "司机甲 990000190001010000".encode()


@pytest.fixture
def file(tmp_path: Path) -> IdentityFile:
    file = IdentityFile(tmp_path)
    file.create(CONTENT)
    return file


def replaced(file: IdentityFile, content: bytes) -> None:
    with file.locked():
        file.write(content)


def refusal(file: IdentityFile) -> str:
    with pytest.raises(IdentityError) as caught:
        file.read()
    return str(caught.value)


def test_what_was_sealed_comes_back_and_lies_nowhere_in_clear(file: IdentityFile, tmp_path: Path) -> None:
    assert file.read() == CONTENT
    for path in tmp_path.iterdir():
        assert CONTENT[-18:] not in path.read_bytes()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_same_content_is_never_sealed_alike(file: IdentityFile) -> None:
    before = file.path.read_bytes()
    replaced(file, CONTENT)
    assert file.path.read_bytes() != before
    assert file.read() == CONTENT


def test_a_file_is_not_made_over_another(file: IdentityFile) -> None:
    with pytest.raises(IdentityError, match="is there already"):
        file.create(b"")
    assert file.read() == CONTENT


def test_a_lost_file_is_not_made_anew_beside_its_key(file: IdentityFile) -> None:
    file.path.unlink()
    with pytest.raises(IdentityError, match="a key without identity"):
        file.create(b"")


def test_another_key_is_named_as_such(file: IdentityFile, tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_text(new_key().text)
    said = refusal(file)
    assert "sealed with another key (id " in said


@pytest.mark.parametrize("name", [KEY_FILE, SEALED_FILE])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_may_touch_is_not_used(file: IdentityFile, tmp_path: Path, name: str, mode: int) -> None:
    (tmp_path / name).chmod(mode)
    assert f"{name}: others may read or write it (mode {mode:04o}); expected 0600" in refusal(file)


def test_a_missing_key_is_named(file: IdentityFile, tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).unlink()
    assert refusal(file) == f"{tmp_path / KEY_FILE}: No such file or directory"


def test_every_cut_is_told(file: IdentityFile) -> None:
    whole = file.path.read_bytes()
    for length in range(len(whole)):
        file.path.write_bytes(whole[:length])
        assert "cut off" in refusal(file), length


def test_every_changed_byte_is_told(file: IdentityFile) -> None:
    whole = file.path.read_bytes()
    for at in range(len(whole)):
        file.path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        said = refusal(file)
        assert any(word in said for word in ("damaged", "another key", "not an identity file", "cut off")), at


def test_bytes_behind_the_end_are_told(file: IdentityFile) -> None:
    file.path.write_bytes(file.path.read_bytes() + b"\0")
    assert "damaged" in refusal(file)


@pytest.mark.parametrize(
    "text",
    ["", "short", "A" * 43, "!" * 44, new_key().text + "AAAA"],
    ids=["empty", "short", "cut off", "other letters", "too long"],
)
def test_a_key_is_32_bytes_and_never_repeated(text: str) -> None:
    with pytest.raises(IdentityError, match="expected 32 bytes as Base64") as caught:
        parse_key(text, "file k")
    assert not text or text not in str(caught.value)


def test_a_key_is_never_printed() -> None:
    key = new_key()
    assert key.text not in repr(key) + str(key)
    assert key.key_id.hex() not in key.raw.hex()


def test_a_rotation_keeps_the_content_and_the_old_key_is_of_no_use(file: IdentityFile, tmp_path: Path) -> None:
    old_key = (tmp_path / KEY_FILE).read_text()
    file.rotate()
    assert file.read() == CONTENT
    assert (tmp_path / KEY_FILE).read_text() != old_key
    assert not (tmp_path / NEXT_KEY_FILE).exists()
    (tmp_path / KEY_FILE).write_text(old_key)
    assert "another key" in refusal(file)


def test_a_rotation_cut_off_before_the_sealing_changes_nothing(file: IdentityFile, tmp_path: Path) -> None:
    (tmp_path / NEXT_KEY_FILE).touch(0o600)
    (tmp_path / NEXT_KEY_FILE).write_text(new_key().text)
    assert file.read() == CONTENT
    replaced(file, b"more")
    assert not (tmp_path / NEXT_KEY_FILE).exists()
    assert file.read() == b"more"


def test_a_rotation_cut_off_after_the_sealing_is_finished_later(file: IdentityFile, tmp_path: Path) -> None:
    old_key = (tmp_path / KEY_FILE).read_text()
    file.rotate()
    (tmp_path / KEY_FILE).rename(tmp_path / NEXT_KEY_FILE)
    (tmp_path / KEY_FILE).touch(0o600)
    (tmp_path / KEY_FILE).write_text(old_key)
    assert file.read() == CONTENT
    replaced(file, b"more")
    assert not (tmp_path / NEXT_KEY_FILE).exists()
    assert IdentityFile(tmp_path).read() == b"more"


def test_a_key_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE_IDENTITY_KEY", new_key().text)
    monkeypatch.setenv("SITE_IDENTITY_KEY_2", new_key().text)
    file = IdentityFile(tmp_path, Secret(env="SITE_IDENTITY_KEY"))
    file.create(CONTENT)
    assert sorted(path.name for path in tmp_path.iterdir()) == [LOCK_FILE, SEALED_FILE]
    file.rotate(Secret(env="SITE_IDENTITY_KEY_2"))
    assert "another key" in refusal(file)
    assert IdentityFile(tmp_path, Secret(env="SITE_IDENTITY_KEY_2")).read() == CONTENT


def test_a_key_from_elsewhere_is_rotated_to_one_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE_IDENTITY_KEY", new_key().text)
    secret = Secret(env="SITE_IDENTITY_KEY")
    file = IdentityFile(tmp_path, secret)
    file.create(CONTENT)
    with pytest.raises(IdentityError, match="exactly when"):
        file.rotate()
    assert file.read() == CONTENT


def test_a_secret_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(IdentityError, match="environment variable NOT_SET_ANYWHERE is empty or not set"):
        IdentityFile(tmp_path, Secret(env="NOT_SET_ANYWHERE")).create(CONTENT)
    assert not (tmp_path / SEALED_FILE).exists()


def test_a_write_that_fails_leaves_the_file_before(file: IdentityFile, tmp_path: Path) -> None:
    """A folder stands where the part would be written: the operating system refuses, as on a disk gone read-only."""
    (tmp_path / f"{SEALED_FILE}.part").mkdir()
    with pytest.raises(OSError, match="directory"):
        replaced(file, b"more")
    assert file.read() == CONTENT
