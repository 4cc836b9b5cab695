"""A photo is one only when every pixel of it opens."""

import io

import pytest
from PIL import Image

from gateway.parts.orders.photos import MAX_PHOTO_BYTES, PhotoRefusedError, check_photo, check_size
from tests.fakes.order_box import photo


def refused(body: bytes, name: str = "IMG_1.jpg") -> str:
    with pytest.raises(PhotoRefusedError) as found:
        check_photo(name, body)
    assert found.value.name == name[:100]
    assert found.value.words_zh
    assert found.value.words_en
    return found.value.code


@pytest.mark.parametrize(("kind", "media_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png")])
def test_a_photo_is_what_its_bytes_say_whatever_its_name(kind: str, media_type: str) -> None:
    found = check_photo("report.pdf", photo(kind=kind))
    assert (found.media_type, found.width_px, found.height_px) == (media_type, 96, 96)
    assert found.size_bytes == len(photo(kind=kind))


def test_bytes_are_not_touched_and_what_the_camera_wrote_stays() -> None:
    body = io.BytesIO()
    exif = Image.Exif()
    exif[0x0132] = "2026:03:01 08:00:00"
    Image.new("RGB", (100, 100)).save(body, "JPEG", exif=exif)
    assert check_photo("a.jpg", body.getvalue()).size_bytes == len(body.getvalue())


@pytest.mark.parametrize(
    "body",
    [b"<html>not a photo</html>", b"%PDF-1.7", b"\xff\xd8\xff\xe0", b"PK\x03\x04", b"GIF89a" + bytes(100), bytes(5000)],
)
def test_what_is_no_photo_is_refused(body: bytes) -> None:
    assert refused(body) in ("no_photo", "photo_damaged")


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("share", [0.2, 0.9])
def test_a_photo_that_was_cut_off_is_refused(kind: str, share: float) -> None:
    whole = photo(kind=kind, side_px=300)
    assert refused(whole[: int(len(whole) * share)]) == "photo_damaged"


def test_another_format_under_a_jpeg_name_is_refused() -> None:
    body = io.BytesIO()
    Image.new("RGB", (100, 100)).save(body, "BMP")
    assert refused(body.getvalue()) == "no_photo"


def test_an_empty_file_is_refused() -> None:
    assert refused(b"") == "photo_empty"


def test_fifty_megabytes_are_refused_with_both_figures() -> None:
    with pytest.raises(PhotoRefusedError, match=r"50\.0 MB; at most 12 MB") as found:
        check_size("big.jpg", 50 * 2**20)
    assert found.value.code == "photo_too_large"
    check_size("fits.jpg", MAX_PHOTO_BYTES)


def test_a_small_file_that_says_it_is_enormous_is_not_decoded() -> None:
    body = io.BytesIO()
    Image.new("1", (9000, 9000)).save(body, "PNG")
    assert len(body.getvalue()) < 100_000
    assert refused(body.getvalue()) == "photo_shape"


def test_a_speck_is_no_photo() -> None:
    assert refused(photo(side_px=20)) == "photo_shape"
