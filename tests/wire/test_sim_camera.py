"""The simulated camera over its socket: what a real RTSP reader gets of it, and how it answers what it cannot do."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest

from drivers.sim.camera_scene import HEIGHT_PX, WIDTH_PX
from drivers.sim.rtsp import AccessUnit, RtspServer
from tests.fakes.gateway_process import ROOT
from vision.survey.parsing import read_survey

SPS, PPS, KEY, NEXT = b"\x67\x42\x00\x1e", b"\x68\xce", b"\x65" + b"k" * 3000, b"\x41" + b"n" * 10


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("camera")
    command = [sys.executable, "-m", "drivers.sim.camera", "--folder", str(folder), "--seconds", "110"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.terminate()
        assert process.wait(20) == 0


def test_libav_reads_the_scene_as_from_any_camera(ready: dict[str, Any]) -> None:
    with av.open(ready["url"], options={"rtsp_transport": "tcp"}, timeout=(20.0, 20.0)) as container:
        stream = container.streams.video[0]
        frames = [frame for _, frame in zip(range(6), container.decode(stream), strict=False)]
        assert stream.codec_context.name == "h264"
    assert {(frame.width, frame.height) for frame in frames} == {(WIDTH_PX, HEIGHT_PX)}
    times = [frame.pts for frame in frames if frame.pts is not None]
    assert len(times) >= 4
    assert times == sorted(set(times))


def test_it_leaves_a_reference_and_a_survey(ready: dict[str, Any]) -> None:
    survey = read_survey(json.loads(Path(ready["survey"]).read_bytes()))
    assert (survey.camera, survey.version, len(survey.edges)) == ("cam-1-eye", 1, 1)
    assert Path(ready["reference"]).read_bytes().startswith(b"\xff\xd8")
    assert [chapter["name"] for chapter in ready["story"]] == ["bare-head", "missing-rail", "at-the-edge"]


class Reader:
    """Speaks RTSP by hand."""

    def __init__(self, stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._stream, self._writer = stream, writer
        self._number = 0

    async def ask(self, method: str, **headers: str) -> tuple[str, bytes]:
        self._number += 1
        lines = [f"{method} rtsp://127.0.0.1/cam-1 RTSP/1.0", f"CSeq: {self._number}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = (await asyncio.wait_for(self._stream.readuntil(b"\r\n\r\n"), 10)).decode()
        assert f"CSeq: {self._number}" in head
        length = next((int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("Content-Length")), 0)
        return head.split("\r\n")[0], await self._stream.readexactly(length)

    async def packet(self) -> tuple[int, bytes]:
        head = await asyncio.wait_for(self._stream.readexactly(4), 10)
        assert head[0] == 0x24
        return head[1], await self._stream.readexactly(int.from_bytes(head[2:], "big"))

    def say(self, octets: bytes) -> None:
        self._writer.write(octets)

    def close(self) -> None:
        self._writer.close()


@pytest.fixture
async def server():
    server = RtspServer()
    await server.start(0)
    server.send(AccessUnit((SPS, PPS, KEY), 1))
    yield server
    await server.stop()


async def test_a_reader_begins_at_a_key_picture_and_learns_the_time(server: RtspServer) -> None:
    reader = Reader(*await asyncio.open_connection("127.0.0.1", server.port))
    status, body = await reader.ask("DESCRIBE")
    assert status == "RTSP/1.0 200 OK"
    assert b"sprop-parameter-sets=Z0IAHg==,aM4=" in body
    await reader.ask("SETUP", Transport="RTP/AVP/TCP;unicast;interleaved=0-1")
    await reader.ask("PLAY")
    assert server.readers == 1
    at_ns = 1_790_000_000_500_000_000
    server.send(AccessUnit((NEXT,), at_ns))
    server.send(AccessUnit((SPS, PPS, KEY), at_ns))
    channel, report = await reader.packet()
    assert (channel, report[1]) == (1, 200)
    seconds, fraction = int.from_bytes(report[8:12], "big"), int.from_bytes(report[12:16], "big")
    assert (seconds - 2_208_988_800, round(fraction / 2**32, 3)) == (1_790_000_000, 0.5)
    packets = [await reader.packet() for _ in range(5)]
    assert [packet[12] & 0x1F for _, packet in packets] == [7, 8, 28, 28, 28]
    assert [packet[1] >> 7 for _, packet in packets] == [0, 0, 0, 0, 1]
    reader.close()


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("SETUP", {"Transport": "RTP/AVP;unicast;client_port=4000-4001"}, "461 Unsupported Transport"),
        ("RECORD", {}, "501 Not Implemented"),
        ("OPTIONS", {}, "200 OK"),
    ],
)
async def test_what_it_cannot_do_is_refused_by_number(
    server: RtspServer, method: str, headers: dict[str, str], status: str
) -> None:
    reader = Reader(*await asyncio.open_connection("127.0.0.1", server.port))
    assert (await reader.ask(method, **headers))[0] == f"RTSP/1.0 {status}"
    reader.close()


async def test_before_the_first_picture_nothing_is_described() -> None:
    server = RtspServer()
    await server.start(0)
    reader = Reader(*await asyncio.open_connection("127.0.0.1", server.port))
    assert (await reader.ask("DESCRIBE"))[0] == "RTSP/1.0 503 Service Unavailable"
    reader.close()
    await server.stop()


async def test_reports_of_a_reader_between_its_requests_are_passed_over_and_noise_ends_one_connection(
    server: RtspServer,
) -> None:
    reader = Reader(*await asyncio.open_connection("127.0.0.1", server.port))
    reader.say(b"$\x01\x00\x08" + b"receiver")
    assert (await reader.ask("OPTIONS"))[0] == "RTSP/1.0 200 OK"
    noisy = Reader(*await asyncio.open_connection("127.0.0.1", server.port))
    noisy.say(b"GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n")
    assert await asyncio.wait_for(noisy._stream.read(), 10) == b""
    noisy.close()
    assert (await reader.ask("OPTIONS"))[0] == "RTSP/1.0 200 OK"
    reader.close()
