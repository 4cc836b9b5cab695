"""What a source may be, and that nothing of a password is ever in a text that is shown."""

import base64
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision.camera.address import (
    SourceKind,
    checked_source,
    credentials_fit,
    device_path,
    file_path,
    redact,
    source_kind,
    with_credentials,
)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("rtsp://10.0.0.9/Streaming/Channels/101", SourceKind.STREAM),
        ("RTSP://10.0.0.9:8554/a", SourceKind.STREAM),
        ("rtsps://camera.site/a", SourceKind.STREAM),
        ("/data/site.mp4", SourceKind.FILE),
        ("file:///data/site.mp4", SourceKind.FILE),
        ("site.mkv", SourceKind.FILE),
        ("/data/pictures/", SourceKind.FOLDER),
        ("/data/pictures", SourceKind.FOLDER),
        ("/data/cam.1/", SourceKind.FOLDER),
        ("v4l2:/dev/video0", SourceKind.DEVICE),
        ("/dev/video12", SourceKind.DEVICE),
    ],
)
def test_kinds_of_sources(source: str, kind: SourceKind) -> None:
    assert source_kind(checked_source(source)) is kind


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("", "rtsp://host/path"),
        ("  ", "rtsp://host/path"),
        ("a\0b", "rtsp://host/path"),
        ("http://10.0.0.9/video", "http:// is not read"),
        ("rtsp://", "the host is missing"),
        ("rtsp:///path", "the host is missing"),
        ("rtsp://host:99999/x", "port from 1 to 65535"),
        ("rtsp://host:port/x", "port from 1 to 65535"),
        ("rtsp://ho st/x", "without blanks"),
        ("v4l2:/dev/sda", "v4l2:/dev/videoN"),
        ("v4l2:0", "v4l2:/dev/videoN"),
        ("rtsp://admin:hunter2@host/x", "username and password"),
        ("rtsp://admin:hunter2/x@host/x", "username and password"),
        ("rtsp://admin:x@hunter2@host/x", "username and password"),
        ("rtsp://host/user=admin&password=hunter2&channel=1", "{password}"),
        ("rtsp://host/x?pwd=hunter2", "{password}"),
    ],
)
def test_what_is_no_source_is_said_without_the_password(source: str, said: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        checked_source(source)
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_credentials_go_before_the_host_or_where_the_address_asks_for_them() -> None:
    assert with_credentials("rtsp://host/x", "admin", "a@b/c:d") == "rtsp://admin:a%40b%2Fc%3Ad@host/x"
    assert with_credentials("rtsp://host/x", "admin", "") == "rtsp://admin@host/x"
    assert with_credentials("rtsp://host/x", "", "") == "rtsp://host/x"
    xm = "rtsp://host/user={username}&password={password}&channel=1"
    assert checked_source(xm) == xm
    assert with_credentials(xm, "admin", "p w") == "rtsp://host/user=admin&password=p%20w&channel=1"


def test_libav_cuts_off_what_is_too_long() -> None:
    assert credentials_fit("admin", "x" * 100)
    assert not credentials_fit("admin", "x" * 130)
    assert not credentials_fit("admin", "密" * 20), "each becomes nine bytes"


def test_paths() -> None:
    assert device_path("v4l2:/dev/video3") == device_path("/dev/video3") == "/dev/video3"
    assert file_path("file:///a/b.mp4") == "/a/b.mp4"
    with pytest.raises(ValueError, match="names no video device"):
        device_path("/dev/sda")


def test_an_error_of_libav_is_shown_without_its_password() -> None:
    text = "[Errno 1] Operation not permitted: 'rtsp://admin:p%40ss@10.0.0.9:554/a?password=p@ss'"
    shown = redact(text, "admin", "p@ss")
    assert shown == "[Errno 1] Operation not permitted: 'rtsp://10.0.0.9:554/a?password=***'"


PASSWORDS = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=4, max_size=30).filter(
    lambda text: text.strip() == text and "*" not in text
)


@settings(deadline=None)
@given(PASSWORDS, st.sampled_from(["admin", "op:1", "用户"]))
def test_no_form_of_a_password_is_left_over(password: str, username: str) -> None:
    forms = [
        f"rtsp://{quote(username, safe='')}:{quote(password, safe='')}@host/x",
        password,
        quote(password, safe=""),
        quote(password),
        base64.b64encode(f"{username}:{password}".encode()).decode(),
    ]
    for form in forms:
        shown = redact(f"<<{form}>>", username, password)
        assert form not in shown
        assert password not in shown.replace("rtsp://host/x", "")
