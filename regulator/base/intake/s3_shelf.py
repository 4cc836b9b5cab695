"""Files by their SHA-256 in an S3-compatible store.

    partial/<box_id>/<sha256>/<offset>     one object a part, so that any replica may take the next one
    waiting/<box_id>/<sha256>              complete, digest checked; no message names it yet
    ab/abcdef...                           complete, digest checked, never changed

A part is an object named by its offset, so the same part twice is one object, and how much is held is what lies there
without a hole. The last part makes the whole: all parts are read once, in pieces, through a temporary file, and only a
file with the right digest gets its name. In: parts, or whole files. Knows no HTTP of boxes and no database.
"""

import hashlib
import io
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.commonconfig import CopySource
from minio.error import MinioException, S3Error
from urllib3.exceptions import HTTPError

from contract.faults import BlobOffset, DigestMismatch
from contract.messages import Blob, BlobState
from regulator.base.intake.part_shelf import WHOLE_FILE, check_part, check_read

PIECE_BYTES = 1024 * 1024
REGION = "us-east-1"
"""What S3-compatible servers take when nobody asks for another; without one each call asks where the bucket is."""
TIMEOUT_S = 20
MISSING = ("NoSuchKey", "NoSuchObject", "NoSuchBucket")

T = TypeVar("T")


class S3Shelf:
    """`bucket` must exist. Every method raises OSError when the store does not answer."""

    def __init__(self, client: Minio, bucket: str, max_bytes: int) -> None:
        self._client = client
        self._bucket = bucket
        self.max_bytes = max_bytes

    def holds(self, sha256: str) -> bool:
        """Whether the whole file lies there, as `Shelf.holds` says."""
        return self._size(_name(sha256)) is not None

    def put(self, content: bytes, media_type: str) -> str:
        """Keep a whole file; its digest, as `Shelf.put` says."""
        sha256 = hashlib.sha256(content).hexdigest()
        if not self.holds(sha256):
            self._store(_name(sha256), io.BytesIO(content), len(content), media_type)
        return sha256

    def read(self, sha256: str) -> bytes:
        """The bytes of a file, checked as `Shelf.read` says."""
        return check_read(self._bytes(_name(sha256)), sha256)

    def state(self, box_id: str, sha256: str, *, sent: bool) -> BlobState:
        """How much of a file is there, as `PartShelf.state` says."""
        size = self._whole(box_id, sha256) if sent else None
        if size is not None:
            return BlobState(sha256=sha256, received_bytes=size, complete=True)
        held = sum(self._parts(box_id, sha256).values())
        return BlobState(sha256=sha256, received_bytes=held, complete=False)

    def add(self, box_id: str, part: Blob, content: bytes, *, sent: bool) -> BlobState:
        """Add a part to its file, as `PartShelf.add` says."""
        end = check_part(part, content, self.max_bytes)
        held = self.state(box_id, part.sha256, sent=sent)
        if held.complete:
            return held
        if end > held.received_bytes:
            if part.offset_bytes != held.received_bytes:
                raise BlobOffset("body.offset_bytes", str(held.received_bytes))
            name = f"{_folder(box_id, part.sha256)}{part.offset_bytes:020d}"
            self._store(name, io.BytesIO(content), len(content), part.media_type)
        whole = max(end, held.received_bytes) >= part.size_bytes
        if whole:
            self._complete(box_id, part)
        return self.state(box_id, part.sha256, sent=whole)

    def keep(self, box_id: str, sha256: str) -> bool:
        """Take a file over for good, as `PartShelf.keep` says."""
        waiting, there = _waiting(box_id, sha256), self.holds(sha256)
        if self._size(waiting) is None:
            return there
        if not there:
            source = CopySource(self._bucket, waiting)
            self._ask(lambda: self._client.copy_object(self._bucket, _name(sha256), source))
        self._remove(waiting)
        return True

    def clear(self, box_id: str, sha256: str) -> None:
        """Drop a file that nobody named, as `PartShelf.clear` says."""
        for name in (*self._parts(box_id, sha256), _waiting(box_id, sha256)):
            self._remove(name)

    def _whole(self, box_id: str, sha256: str) -> int | None:
        size = self._size(_name(sha256))
        return size if size is not None else self._size(_waiting(box_id, sha256))

    def _remove(self, name: str) -> None:
        self._ask(lambda: self._client.remove_object(self._bucket, name))

    def _complete(self, box_id: str, part: Blob) -> None:
        names = list(self._parts(box_id, part.sha256))
        with tempfile.TemporaryFile() as file:
            digest = hashlib.sha256()
            for name in names:
                self._pour(name, file, digest)
            if digest.hexdigest() == part.sha256:
                size = file.tell()
                file.seek(0)
                self._store(_waiting(box_id, part.sha256), file, size, part.media_type)
        for name in names:
            self._remove(name)
        if digest.hexdigest() != part.sha256:
            raise DigestMismatch("body.sha256", WHOLE_FILE)

    def _parts(self, box_id: str, sha256: str) -> dict[str, int]:
        """Names and sizes of the parts that lie there without a hole."""
        folder = _folder(box_id, sha256)
        listed = self._ask(lambda: list(self._client.list_objects(self._bucket, prefix=folder)))
        parts: dict[str, int] = {}
        for found in sorted(listed, key=lambda one: one.object_name or ""):
            if int((found.object_name or "").removeprefix(folder)) != sum(parts.values()):
                break
            parts[found.object_name or ""] = found.size or 0
        return parts

    def _pour(self, name: str, file: Any, digest: Any) -> None:
        def pour() -> None:
            with closing(self._client.get_object(self._bucket, name)) as answer:
                for piece in answer.stream(PIECE_BYTES):
                    digest.update(piece)
                    file.write(piece)

        self._ask(pour)

    def _bytes(self, name: str) -> bytes:
        def read() -> bytes:
            with closing(self._client.get_object(self._bucket, name)) as answer:
                return bytes(answer.read())

        try:
            return self._ask(read)
        except FileNotFoundError:
            raise LookupError(f"{name}: no such file in the store") from None

    def _size(self, name: str) -> int | None:
        try:
            return self._ask(lambda: self._client.stat_object(self._bucket, name)).size or 0
        except FileNotFoundError:
            return None

    def _store(self, name: str, content: Any, size: int, media_type: str) -> None:
        kind = media_type if media_type.isascii() and media_type.isprintable() and media_type else _UNKNOWN_TYPE
        self._ask(lambda: self._client.put_object(self._bucket, name, content, size, content_type=kind))

    def _ask(self, question: Callable[[], T]) -> T:
        """What the store answers. FileNotFoundError when the object is not there, another OSError when it fails."""
        try:
            return question()
        except S3Error as error:
            if error.code in MISSING:
                raise FileNotFoundError(error.code) from None
            raise OSError(f"the store of files refuses: {error.code}") from error
        except (MinioException, HTTPError) as error:
            raise OSError(f"the store of files does not answer: {type(error).__name__}") from error


_UNKNOWN_TYPE = "application/octet-stream"


def open_s3(bucket: str, endpoint: str, secret_file: Path, max_bytes: int) -> S3Shelf:
    """`endpoint` is an http(s) address; the secret file holds the access key and, on the next line, its secret.

    Raises ValueError that names what is wrong and never shows a secret.
    """
    address = urlsplit(endpoint)
    if address.scheme not in ("http", "https") or not address.netloc or address.path not in ("", "/"):
        raise ValueError(f"s3_endpoint: {endpoint!r}, expected http(s)://host[:port]")
    lines = secret_file.read_text(encoding="utf-8").split()
    if len(lines) != 2:
        raise ValueError(f"{secret_file}: expected the access key and, on the next line, its secret")
    patience = urllib3.PoolManager(timeout=TIMEOUT_S, retries=urllib3.Retry(2, backoff_factor=0.2))
    client = Minio(
        address.netloc,
        access_key=lines[0],
        secret_key=lines[1],
        secure=address.scheme == "https",
        region=REGION,
        http_client=patience,
    )
    return S3Shelf(client, bucket, max_bytes)


def _name(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}"


def _waiting(box_id: str, sha256: str) -> str:
    return f"waiting/{box_id}/{sha256}"


def _folder(box_id: str, sha256: str) -> str:
    return f"partial/{box_id}/{sha256}/"
