"""A camera's address, and how it is shown without its password.

In: what a site file says (`source`, user name, password). Out: the kind of source, the address that libav opens, and
texts that are fit for a log or a screen. Opens nothing. The capture process imports it: nothing heavy.
"""

import base64
import re
from collections.abc import Iterable
from enum import StrEnum
from urllib.parse import quote, urlsplit

_USER_INFO = re.compile(r"([a-z][a-z0-9+.-]*://)[^/\s]*@", re.IGNORECASE)
_PASSWORD_PARAMETER = re.compile(r"((?:password|passwd|pwd|pass|token)=)(?!\{)[^&_/?\s'\"]+", re.IGNORECASE)
_DEVICE = re.compile(r"(?:v4l2:)?(/dev/video\d+)")
_PICTURE_ENDINGS = (".jpg", ".jpeg", ".png", ".bmp")
_LIBAV_AUTH_BYTES = 127
_SHORT_SECRET = 3
"""A secret of so few characters is not searched for outside an address: it would blot out whole words."""


class SourceKind(StrEnum):
    """What is opened. STREAM: RTSP. FILE: a video file. FOLDER: pictures, one after the other. DEVICE: V4L2."""

    STREAM = "stream"
    FILE = "file"
    FOLDER = "folder"
    DEVICE = "device"


def checked_source(text: str) -> str:
    """A source as the site file may name it. Raises ValueError that says what was expected and never repeats the
    user name or password of an address.

        rtsp://host[:port]/path     rtsps://...     /path/to/video.mp4     /path/to/folder/     v4l2:/dev/video0
    """
    if not text.strip() or "\0" in text:
        raise ValueError("rtsp://host/path, the path of a video file or folder, or v4l2:/dev/video0")
    if "://" in text:
        _check_url(text)
    elif text.startswith("v4l2:") and not _DEVICE.fullmatch(text):
        raise ValueError("v4l2:/dev/videoN, as in v4l2:/dev/video0")
    return text


def _check_url(text: str) -> None:
    scheme = text.partition("://")[0].lower()
    if scheme not in ("rtsp", "rtsps", "file"):
        raise ValueError(f"rtsp:// or rtsps://, or the path of a file; {scheme}:// is not read")
    if scheme == "file":
        return
    if "@" in text.partition("?")[0]:  # also where the password has a slash in it; an @ in a path is %40
        raise ValueError("an address without user name and password: they stand under username and password")
    if _PASSWORD_PARAMETER.search(text):
        raise ValueError(
            "an address without a password: write {password} in its place, and the password under password"
        )
    if re.search(r"\s", text):
        raise ValueError("an address without blanks")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("rtsp://host:port/path with a port from 1 to 65535") from None
    if not host:
        raise ValueError("rtsp://host/path; the host is missing")


def source_kind(source: str) -> SourceKind:
    """Which kind a checked source is. A path that ends with / or has no ending is a folder."""
    if source.lower().startswith(("rtsp://", "rtsps://")):
        return SourceKind.STREAM
    if _DEVICE.fullmatch(source):
        return SourceKind.DEVICE
    path = file_path(source)
    last = path.rpartition("/")[2]
    return SourceKind.FOLDER if not last or "." not in last.lstrip(".") else SourceKind.FILE


def device_path(source: str) -> str:
    """The device file of a DEVICE source, `/dev/videoN`."""
    found = _DEVICE.fullmatch(source)
    if found is None:
        raise ValueError(f"{source!r} names no video device")
    return found[1]


def file_path(source: str) -> str:
    """The path of a FILE or FOLDER source."""
    return source.removeprefix("file://")


def is_picture(name: str) -> bool:
    """Whether a file of an image folder is taken for a picture, by its ending."""
    return name.lower().endswith(_PICTURE_ENDINGS)


def credentials_fit(username: str, password: str) -> bool:
    """libav keeps user name and password, percent-encoded, in 127 bytes and cuts off the rest silently."""
    return len(_user_info(username, password)) <= _LIBAV_AUTH_BYTES


def with_credentials(source: str, username: str, password: str) -> str:
    """The address that libav opens: {username} and {password} filled in where the address has them, else before the
    host. Never to be shown."""
    if "{password}" in source:
        return source.replace("{username}", quote(username, safe="")).replace("{password}", quote(password, safe=""))
    if not username:
        return source
    scheme, _, rest = source.partition("://")
    return f"{scheme}://{_user_info(username, password)}@{rest}"


def _user_info(username: str, password: str) -> str:
    return quote(username, safe="") + (":" + quote(password, safe="") if password else "")


def redact(text: str, username: str = "", password: str = "") -> str:
    """The text without user information in addresses, without password parameters, and without the password in any
    form that libav or a camera could repeat it in: as it is, percent-encoded, in a Basic header."""
    text = _USER_INFO.sub(r"\1", text)
    for form in _forms(username, password):
        text = text.replace(form, "***")
    return _PASSWORD_PARAMETER.sub(r"\1***", text)


def _forms(username: str, password: str) -> Iterable[str]:
    """Longest first, so that no part of one is left over by another."""
    if not password:
        return ()
    basic = base64.b64encode(f"{username}:{password}".encode()).decode()
    forms = {basic, _user_info(username, password)}
    if len(password) > _SHORT_SECRET:
        forms |= {password, quote(password, safe=""), quote(password)}
    return sorted(forms, key=len, reverse=True)
