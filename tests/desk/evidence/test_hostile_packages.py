"""A file that is made to be costly is refused cheaply, and no package holds up another person's."""

import asyncio
import io
import json
import resource
import socket
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.signing import generate_key
from regulator.base.model.actor import Duty
from regulator.parts.evidence.apart import MOST_FAULTS, Limits, TooCostlyError, check_apart
from regulator.parts.evidence.verifier import (
    FORMAT,
    FREE_BYTES,
    MANIFEST,
    MOST_FILES,
    MOST_RATIO,
    Report,
    verify_package,
)
from tests.desk.evidence.test_package import Made, made
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import DeskClient, DeskFace
from tests.fakes.waiting import wait_until

__all__ = ["made"]


@pytest.fixture
def face(tmp_path: Path, clock: DeskClock) -> Iterator[DeskFace]:
    with DeskFace(tmp_path, clock) as face:
        yield face


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip with a manifest that lists all of them, with digests that do not fit."""
    file = io.BytesIO()
    manifest = {"format": FORMAT, "files": {name: {"sha256": "0"} for name in files}}
    with zipfile.ZipFile(file, "w", method) as package:
        for name, content in ({MANIFEST: json.dumps(manifest).encode()} | files).items():
            package.writestr(name, content)
    return file.getvalue()


def many_names() -> bytes:
    """3.8 MB that unpack to 1.9 GB, as the campaign sent it: it cost the desk eight seconds."""
    entry = zipfile.ZipInfo("0")
    entry.compress_type = zipfile.ZIP_DEFLATED
    file, names = io.BytesIO(), [f"{number:05d}" for number in range(MOST_FILES - 1000)]
    with zipfile.ZipFile(file, "w") as package:
        package.writestr(entry, bytes(100_000))
    one = file.getvalue()
    local, central = one[: one.index(b"PK\1\2")], one[one.index(b"PK\1\2") : one.index(b"PK\5\6")]
    manifest = {"format": FORMAT, "files": {name: {"sha256": "0"} for name in names}}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as package:
        package.writestr(MANIFEST, json.dumps(manifest))
    head = file.getvalue()
    body, directory = bytearray(head[: head.index(b"PK\1\2")]), bytearray()
    first = head[head.index(b"PK\1\2") : head.index(b"PK\5\6")]
    for name in names:
        at, written = len(body).to_bytes(4, "little"), len(name).to_bytes(2, "little")
        body += local[:26] + written + local[28:30] + name.encode() + local[31:]
        directory += central[:28] + written + central[30:42] + at + name.encode()
    count = (len(names) + 1).to_bytes(2, "little")
    size, start = (len(first) + len(directory)).to_bytes(4, "little"), len(body).to_bytes(4, "little")
    return bytes(body) + first + bytes(directory) + b"PK\5\6" + bytes(4) + count * 2 + size + start + bytes(2)


def hog() -> bytes:
    """A small package that keeps a processor busy for minutes: every signature is looked up among thousands of keys."""
    key = generate_key().public
    stranger = {"key_id": "ed25519:" + "0" * 32, "alg": "Ed25519", "public_key": key.public_text}
    envelope = {"alg": "Ed25519", "key_id": key.key_id, "box_id": "b", "kind": "k", "key": "k", "body": {}}
    text = json.dumps({"box_id": "b", "key": "k", "kind": "k", "body_sha256": ""})
    receipt = {"key_id": key.key_id, "signature": "", "text": text}
    item = json.dumps({"envelope": json.dumps(envelope), "signature": "", "receipt": receipt}).encode()
    names = [f"items/{number:05d}.json" for number in range(100)]
    keys = {"desk": [stranger] * 100_000, "box": [stranger] * 100_000}
    manifest = {"format": FORMAT, "box_id": "b", "keys": keys, "files": {name: {"sha256": "0"} for name in names}}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as package:
        package.writestr(MANIFEST, json.dumps(manifest))
        for name in names:
            package.writestr(name, item)
    return file.getvalue()


def checked(content: bytes) -> Report:
    return verify_package(io.BytesIO(content))


def cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_many_names_that_unpack_to_gigabytes_cost_less_than_a_second(face: DeskFace) -> None:
    content = many_names()
    assert 3_000_000 < len(content) < 4_500_000
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        assert sum(entry.file_size for entry in package.infolist()) > 1_800_000_000
        assert package.read("00000") == bytes(100_000)
    before = cpu_of_children()
    answer = submit(face.client(Duty.REVIEWER), content)
    assert answer.status_code == 422
    assert "解压后过大" in answer.text
    assert 0 < cpu_of_children() - before < 1


def test_many_small_names_cost_less_than_a_second_and_the_page_stays_short(face: DeskFace) -> None:
    content = zipped({f"{number:05d}": bytes(1000) for number in range(MOST_FILES - 1)})
    before = cpu_of_children()
    answer = submit(face.client(Duty.REVIEWER), content)
    assert 0 < cpu_of_children() - before < 1
    assert answer.status_code == 200
    assert "问题过多，其余未再检查" in answer.text
    assert answer.text.count("内容与清单摘要不符") == MOST_FAULTS - 1
    assert len(checked(content).faults) > MOST_FILES - 1


@pytest.mark.parametrize(("files", "refused"), [(MOST_FILES - 1, False), (MOST_FILES, True)])
def test_as_many_files_as_a_package_may_have_and_one_more(files: int, refused: bool) -> None:
    report = checked(zipped({str(number): b"" for number in range(files)}))
    assert (report.manifest is None) is refused
    assert ("too many files" in report.faults[0].en) is refused


@pytest.mark.parametrize("over", [0, 1])
def test_a_zip_unpacks_to_twenty_times_its_length_and_not_a_byte_more(over: int) -> None:
    def padded(size: int) -> bytes:
        content = zipped({"a": bytes(size)})
        return content[:-2] + (60_000).to_bytes(2, "little") + bytes(60_000)  # the zip's own comment

    def room(content: bytes) -> int:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            return FREE_BYTES + MOST_RATIO * len(content) - sum(entry.file_size for entry in package.infolist())

    size = FREE_BYTES
    while (left := room(padded(size))) != 0:
        size += left
    report = checked(padded(size + over))
    assert (report.manifest is None) is bool(over)
    assert ("unpacks to too much" in report.faults[0].en) is bool(over)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_way_of_packing_that_unpacks_without_bound_is_refused_unread(method: int) -> None:
    report = checked(zipped({"a": bytes(1000)}, method))
    assert report.manifest is None
    assert report.faults[0].en == "compressed in a way that packages are not"


def test_an_entry_that_says_less_than_it_holds_is_unpacked_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytearray(zipped({"a": bytes(FREE_BYTES * 4)}))
    entry = content.rindex(b"PK\1\2")
    content[entry + 24 : entry + 28] = (10).to_bytes(4, "little")
    read: list[int] = []
    inner = zipfile.ZipExtFile.read

    def counting(self: Any, n: int | None = -1) -> bytes:
        piece = inner(self, n)
        read.append(len(piece))
        return piece

    monkeypatch.setattr(zipfile.ZipExtFile, "read", counting)
    report = checked(bytes(content))
    assert "a" in {fault.where for fault in report.faults}
    assert sum(read) < 1000


async def test_honest_packages_hold_in_a_process_of_their_own(made: Made) -> None:
    report = await read_apart(made.content, Limits())
    assert report.faults == []
    assert report.checked == checked(made.content).checked
    assert report.desk_key_id == made.key.public.key_id
    assert report.manifest is not None
    assert report.manifest["made_at_ns"] > 0


async def test_a_flipped_byte_is_named_the_same_in_a_process_of_its_own(made: Made) -> None:
    flipped = bytearray(made.content)
    flipped[made.content.index(b"a clip of the alarm")] ^= 1
    report = await read_apart(bytes(flipped), Limits())
    assert report.faults == checked(bytes(flipped)).faults != []


@pytest.mark.parametrize(
    ("content", "limits"),
    [
        pytest.param(hog(), Limits(cpu_s=1), id="processor"),
        pytest.param(hog(), Limits(wall_s=0.5), id="time"),
        pytest.param(hog(), Limits(memory_bytes=128 * 2**20), id="memory"),
    ],
)
async def test_what_takes_more_than_it_may_is_stopped_and_gone(content: bytes, limits: Limits) -> None:
    with pytest.raises(TooCostlyError):
        await read_apart(content, limits)
    assert children() == set()


async def test_a_caller_that_is_cancelled_leaves_no_process_behind() -> None:
    checking = asyncio.create_task(read_apart(hog(), Limits()))
    while not children():
        await asyncio.sleep(0)
    checking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await checking
    assert children() == set()


def test_one_login_verifies_one_at_a_time_and_who_hangs_up_ends_it(face: DeskFace, made: Made) -> None:
    greedy, other = face.client(Duty.REVIEWER), face.client(Duty.INSPECTOR)
    with sent(face, greedy, hog()) as hanging:
        wait_until(children, "a process")
        refused = submit(greedy, made.content)
        assert refused.status_code == 429
        assert "您的账号已有一个证据包正在核验" in refused.text
        assert submit(other, made.content).status_code == 200
        assert len(children()) == 1
        hanging.shutdown(socket.SHUT_RDWR)
    wait_until(lambda: not children(), "its end")
    wait_until(lambda: submit(greedy, made.content).status_code == 200, "its turn")


def submit(client: DeskClient, content: bytes) -> Any:
    return client.submit("/verify", "/verify", files={"package": ("p.zip", content, "application/zip")})


def sent(face: DeskFace, client: DeskClient, content: bytes) -> socket.socket:
    """The request on a socket of its own; nobody reads the answer."""
    files = {"package": ("p.zip", content, "application/zip")}
    request = client.build_request("POST", "/verify", data={"csrf": client.csrf("/verify")}, files=files)
    head = b"POST /verify HTTP/1.1\r\n" + b"".join(b"%s: %s\r\n" % each for each in request.headers.raw)
    connection = socket.create_connection(("127.0.0.1", int(face.url.rpartition(":")[2])))
    connection.sendall(head + b"\r\n" + request.read())
    return connection


async def read_apart(content: bytes, limits: Limits) -> Report:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        return await check_apart(file, limits)


def children() -> set[str]:
    """Processes of this one that read packages."""
    ours = {each for task in Path("/proc/self/task").iterdir() for each in _read(task / "children").split()}
    return {
        each.decode() for each in ours if b"regulator.parts.evidence.apart" in _read(Path(f"/proc/{int(each)}/cmdline"))
    }


def _read(path: Path) -> bytes:
    """A file of a thread or process that may have ended."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
