"""A shelf takes files part by part and lets nothing wrong in; the same on disk and in an S3 store that is not ours."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.faults import BlobOffset, DigestMismatch, InvalidBody, TooLarge
from contract.messages import Blob
from regulator.base.intake.building import open_shelf
from regulator.base.intake.part_shelf import PartShelf
from regulator.base.settings import DeskSettings
from tests.fakes.s3_server import BUCKET, S3Server

BOX = "box-1"
CONTENT = b"0123456789" * 5000
MOST = 200_000


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with S3Server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(params=["disk", "s3"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> PartShelf:
    known = {"database": "sqlite://", "key_file": tmp_path / "k", "max_blob_bytes": MOST}
    if request.param == "disk":
        return open_shelf(DeskSettings(blobs=str(tmp_path / "files"), **known))
    server: S3Server = request.getfixturevalue("s3")
    place = {"blobs": f"s3://{BUCKET}", "s3_endpoint": server.url, "s3_secret_file": server.secret_file}
    return open_shelf(DeskSettings(**known, **place))


def part(content: bytes, offset: int, piece: bytes, **changes: object) -> Blob:
    fields = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_bytes": len(content),
        "offset_bytes": offset,
        "part_sha256": hashlib.sha256(piece).hexdigest(),
        "media_type": "video/mp4",
    }
    return Blob.model_validate(fields | changes)


def fresh(name: str) -> bytes:
    return name.encode() + CONTENT


def test_parts_become_a_file_that_can_be_read(shelf: PartShelf) -> None:
    content = fresh("whole")
    digest = hashlib.sha256(content).hexdigest()
    first, rest = content[:20_000], content[20_000:]
    assert shelf.state(BOX, digest, sent=False).received_bytes == 0
    for _ in "twice":
        assert shelf.add(BOX, part(content, 0, first), first, sent=False).received_bytes == 20_000
    assert not shelf.holds(digest)
    for sent in (False, True):
        assert shelf.add(BOX, part(content, 20_000, rest), rest, sent=sent).complete
    assert shelf.state(BOX, digest, sent=True).complete
    assert not shelf.holds(digest)
    for _ in "twice":
        assert shelf.keep(BOX, digest)
    assert shelf.holds(digest)
    assert shelf.read(digest) == content
    assert shelf.state(BOX, digest, sent=True).complete
    assert shelf.state(BOX, digest, sent=True).received_bytes == len(content)


def test_what_no_message_names_is_cleared_and_what_is_on_the_shelf_is_not(shelf: PartShelf) -> None:
    begun, whole, kept, put = fresh("begun"), fresh("whole and loose"), fresh("kept"), fresh("the desk's own")
    shelf.add(BOX, part(begun, 0, begun[:100]), begun[:100], sent=False)
    for content in (whole, kept, put):
        shelf.add(BOX, part(content, 0, content), content, sent=False)
    digests = [hashlib.sha256(content).hexdigest() for content in (begun, whole, kept, put)]
    assert shelf.keep(BOX, digests[2])
    assert shelf.put(put, "image/jpeg") == digests[3]
    assert not shelf.keep("another-box", digests[1])
    for digest in digests:
        for _ in "twice":
            shelf.clear(BOX, digest)
    assert [shelf.state(BOX, digest, sent=True).received_bytes for digest in digests[:2]] == [0, 0]
    assert [shelf.keep(BOX, digest) for digest in digests] == [False, False, True, True]
    assert [shelf.read(digest) for digest in digests[2:]] == [kept, put]


def test_what_another_box_sent_is_sent_whole_again(shelf: PartShelf) -> None:
    content = fresh("shared")
    digest = hashlib.sha256(content).hexdigest()
    first, rest = content[:20_000], content[20_000:]
    assert shelf.add(BOX, part(content, 0, content), content, sent=False).complete
    assert shelf.state("another-box", digest, sent=False).received_bytes == 0
    with pytest.raises(BlobOffset):
        shelf.add("another-box", part(content, 20_000, rest), rest, sent=False)
    assert not shelf.add("another-box", part(content, 0, first), first, sent=False).complete
    assert shelf.add("another-box", part(content, 20_000, rest), rest, sent=False).complete
    assert shelf.keep(BOX, digest)
    assert shelf.keep("another-box", digest)
    assert shelf.read(digest) == content


def test_what_the_desk_puts_is_kept_once(shelf: PartShelf) -> None:
    digests = {shelf.put(b"a document", "application/pdf") for _ in range(2)}
    assert digests == {hashlib.sha256(b"a document").hexdigest()}
    assert shelf.read(digests.pop()) == b"a document"


def test_nothing_is_read_that_is_not_there(shelf: PartShelf) -> None:
    with pytest.raises(LookupError):
        shelf.read("0" * 64)


def test_a_hole_is_refused_and_the_place_named(shelf: PartShelf) -> None:
    content = fresh("hole")
    with pytest.raises(BlobOffset) as caught:
        shelf.add(BOX, part(content, 500, content[500:900]), content[500:900], sent=False)
    assert caught.value.expected == "0"


def test_a_whole_that_is_not_its_digest_is_thrown_away(shelf: PartShelf) -> None:
    content, other = fresh("right"), fresh("wrong")
    with pytest.raises(DigestMismatch):
        shelf.add(BOX, part(content, 0, other), other, sent=False)
    assert shelf.state(BOX, hashlib.sha256(content).hexdigest(), sent=False).received_bytes == 0
    assert shelf.add(BOX, part(content, 0, content), content, sent=False).complete


def test_two_gigabytes_are_refused_by_what_they_declare(shelf: PartShelf) -> None:
    with pytest.raises(TooLarge) as caught:
        shelf.add(BOX, part(b"x", 0, b"x", size_bytes=2 << 30), b"x", sent=False)
    assert caught.value.expected == str(MOST)


@pytest.mark.parametrize("piece", [b"", b"x" * 11])
def test_a_part_that_is_none_is_refused(shelf: PartShelf, piece: bytes) -> None:
    with pytest.raises(InvalidBody):
        shelf.add(BOX, part(b"0123456789", 0, piece), piece, sent=False)


def test_a_byte_that_flipped_on_the_disk_is_told(shelf: PartShelf, tmp_path: Path, s3: S3Server) -> None:
    digest = shelf.put(fresh("flipped"), "video/mp4")
    (file,) = [path for root in (tmp_path, s3.folder) for path in root.rglob(f"{digest}*") if _is_content(path)]
    content = bytearray(file.read_bytes())
    content[7] ^= 1
    file.write_bytes(bytes(content))
    with pytest.raises(ValueError, match=digest):
        shelf.read(digest)


def _is_content(path: Path) -> bool:
    """s3rver keeps a file's bytes beside its own notes on it."""
    return path.is_file() and not path.name.endswith((".json", ".md5"))


def test_a_store_that_does_not_answer_is_an_os_error(tmp_path: Path) -> None:
    with S3Server(tmp_path / "s3") as server:
        place = {"blobs": f"s3://{BUCKET}", "s3_endpoint": server.url, "s3_secret_file": server.secret_file}
        gone = open_shelf(DeskSettings(database="sqlite://", key_file=tmp_path / "k", **place))
    with pytest.raises(OSError, match="does not answer"):
        gone.holds("0" * 64)


@pytest.mark.parametrize(
    ("endpoint", "secret", "words"),
    [("ftp://x", "a\nb", "s3_endpoint"), ("http://x", "only-one", "access key"), ("x", "a\nb", "s3_endpoint")],
)
def test_settings_that_cannot_be_used_are_named_without_the_secret(
    tmp_path: Path, endpoint: str, secret: str, words: str
) -> None:
    (tmp_path / "secret").write_text(secret)
    place = {"blobs": "s3://b", "s3_endpoint": endpoint, "s3_secret_file": tmp_path / "secret"}
    with pytest.raises(ValueError, match=words) as caught:
        open_shelf(DeskSettings(database="sqlite://", key_file=tmp_path / "k", **place))
    assert "only-one" not in str(caught.value)
