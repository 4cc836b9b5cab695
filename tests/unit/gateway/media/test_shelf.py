"""Bodies by digest: written whole or not at all, checked when read."""

import hashlib

import pytest

from gateway.media.shelf import DamagedError, MediaShelf, NoRoomError, NotKeptError


def test_a_body_lies_under_its_digest_and_is_read_back(tmp_path):
    shelf = MediaShelf(tmp_path)
    sha256 = shelf.put(b"a picture")

    assert sha256 == hashlib.sha256(b"a picture").hexdigest()
    assert shelf.read(sha256) == b"a picture"
    assert shelf.path(sha256) == tmp_path / "media" / sha256[:2] / sha256
    assert list((tmp_path / "media" / "partial").iterdir()) == []


def test_the_same_body_takes_its_room_once(tmp_path):
    shelf = MediaShelf(tmp_path)
    shelf.put(b"a picture")
    shelf.put(b"a picture")

    assert shelf.held_bytes == 9
    assert MediaShelf(tmp_path).held_bytes == 9


def test_one_altered_byte_is_damage_and_a_new_copy_mends_it(tmp_path):
    shelf = MediaShelf(tmp_path)
    sha256 = shelf.put(b"a picture")
    shelf.path(sha256).write_bytes(b"a pictvre")

    with pytest.raises(DamagedError, match=sha256):
        shelf.read(sha256)
    shelf.put(b"a picture")
    assert shelf.read(sha256) == b"a picture"


def test_what_was_never_finished_is_swept(tmp_path):
    shelf = MediaShelf(tmp_path)
    shelf.put(b"a picture")
    (tmp_path / "media" / "partial" / "tmpabc").write_bytes(b"half a pic")

    assert shelf.sweep_partial() == 1
    assert len(list(shelf.bodies())) == 1


def test_without_room_nothing_is_written(tmp_path):
    with pytest.raises(NoRoomError, match="alerts come first"):
        MediaShelf(tmp_path, may_write=lambda: False).put(b"a picture")
    with pytest.raises(NoRoomError, match="may take 8 bytes"):
        MediaShelf(tmp_path, max_bytes=8).put(b"a picture")
    assert not (tmp_path / "media").exists()


def test_a_folder_that_cannot_be_written_is_no_room(tmp_path):
    (tmp_path / "media").write_text("a file where the folder should be")
    with pytest.raises((NoRoomError, OSError)):
        MediaShelf(tmp_path).put(b"a picture")


def test_a_name_that_is_no_digest_leads_nowhere(tmp_path):
    with pytest.raises(ValueError, match="64 hexadecimal"):
        MediaShelf(tmp_path).read("../../etc/passwd")
    with pytest.raises(NotKeptError):
        MediaShelf(tmp_path).read("0" * 64)


def test_an_empty_body_is_refused(tmp_path):
    with pytest.raises(ValueError, match="empty"):
        MediaShelf(tmp_path).put(b"")


def test_letting_go_frees_its_bytes_once(tmp_path):
    shelf = MediaShelf(tmp_path)
    sha256 = shelf.put(b"a picture")

    assert shelf.remove(sha256) == 9
    assert shelf.remove(sha256) == 0
    assert shelf.held_bytes == 0
