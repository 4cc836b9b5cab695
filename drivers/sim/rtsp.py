"""A small RTSP server for one H.264 stream over TCP: the twin of a site camera (RFC 2326, 3550, 6184).

    encoder --access units--> RtspServer --RTP in the RTSP connection (interleaved)--> any number of readers

In: access units in Annex B with their time. Out: what a camera says: SDP with the parameter sets, RTP packets, and
every few seconds when the pictures were taken. No authentication, no UDP: a demonstration needs neither. A reader that
is too slow is cut off. Knows no pictures.
"""

import asyncio
import base64
import contextlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

MAX_PAYLOAD_BYTES = 1400
CLOCK_HZ = 90_000
REPORT_EVERY_S = 2.0
_NTP_EPOCH_S = 2_208_988_800
_SLOW_BYTES = 4_000_000
_SSRC = 0x53574344
_SPS, _PPS, _KEY = 7, 8, 5


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One coded picture. `at_ns` is when it was taken, UTC."""

    nals: tuple[bytes, ...]
    at_ns: int

    @property
    def key(self) -> bool:
        """Whether a reader can begin here."""
        return any(nal[0] & 0x1F == _KEY for nal in self.nals)


def split_annex_b(body: bytes) -> tuple[bytes, ...]:
    """The NAL units of a byte stream, without start codes; empty ones are left out."""
    parts = body.replace(b"\x00\x00\x00\x01", b"\x00\x00\x01").split(b"\x00\x00\x01")
    return tuple(part for part in parts if part)


def rtp_payloads(nal: bytes) -> Iterator[bytes]:
    """A NAL unit as it is, or in fragments (FU-A) of at most `MAX_PAYLOAD_BYTES`."""
    if len(nal) <= MAX_PAYLOAD_BYTES:
        yield nal
        return
    head, kind, rest = nal[0] & 0xE0, nal[0] & 0x1F, nal[1:]
    step = MAX_PAYLOAD_BYTES - 2
    for start in range(0, len(rest), step):
        first, last = 0x80 * (start == 0), 0x40 * (start + step >= len(rest))
        yield bytes((head | 28, first | last | kind)) + rest[start : start + step]


@dataclass(slots=True)
class _Reader:
    """One RTSP connection."""

    writer: asyncio.StreamWriter
    playing: bool = False
    began: bool = False
    sequence: int = 0
    packets: int = 0
    octets: int = 0
    reported_ns: int = 0
    session: str = ""


@dataclass(slots=True)
class RtspServer:
    """`start`, then `send` every access unit; `readers` says how many are playing."""

    path: str = "cam-1"
    port: int = 0
    _server: asyncio.Server | None = None
    _readers: list[_Reader] = field(default_factory=list)
    _parameters: dict[int, bytes] = field(default_factory=dict)

    async def start(self, port: int) -> None:
        """Listen on this port of 127.0.0.1; 0 picks a free one."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = int(self._server.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        """The address under which the stream is played."""
        return f"rtsp://127.0.0.1:{self.port}/{self.path}"

    @property
    def readers(self) -> int:
        """How many clients play the stream at present."""
        return sum(reader.playing for reader in self._readers)

    def send(self, unit: AccessUnit) -> None:
        """To everybody who plays; who has just begun waits for a key picture."""
        for nal in unit.nals:
            if nal[0] & 0x1F in (_SPS, _PPS):
                self._parameters[nal[0] & 0x1F] = nal
        for reader in list(self._readers):
            reader.began = reader.began or (reader.playing and unit.key)
            if not reader.began:
                continue
            if reader.writer.transport.get_write_buffer_size() > _SLOW_BYTES:
                reader.writer.close()
                continue
            self._send_to(reader, unit)

    async def stop(self) -> None:
        """Close every connection and serve no more."""
        for reader in list(self._readers):
            reader.writer.close()
        if self._server is not None:
            self._server.close()

    def _send_to(self, reader: _Reader, unit: AccessUnit) -> None:
        at = unit.at_ns * CLOCK_HZ // 1_000_000_000 & 0xFFFFFFFF
        if unit.at_ns - reader.reported_ns >= REPORT_EVERY_S * 1e9:
            reader.reported_ns = unit.at_ns
            reader.writer.write(_interleaved(1, _sender_report(reader, unit.at_ns, at)))
        payloads = [payload for nal in unit.nals for payload in rtp_payloads(nal)]
        for i, payload in enumerate(payloads):
            marker = 0x80 * (i == len(payloads) - 1)
            head = struct.pack("!BBHII", 0x80, marker | 96, reader.sequence, at, _SSRC)
            reader.sequence = (reader.sequence + 1) & 0xFFFF
            reader.packets, reader.octets = reader.packets + 1, reader.octets + len(payload)
            reader.writer.write(_interleaved(0, head + payload))

    async def _serve(self, stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reader = _Reader(writer, session=f"{id(writer) & 0xFFFFFFFF:08x}")
        self._readers.append(reader)
        try:
            while request := await _request(stream):
                writer.write(self._answer(reader, *request))
                await writer.drain()
        except (OSError, ValueError, asyncio.IncompleteReadError):
            pass  # gone, or no RTSP: the connection ends either way
        finally:
            self._readers.remove(reader)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _answer(self, reader: _Reader, method: str, headers: dict[str, str]) -> bytes:
        said = {"CSeq": headers.get("cseq", "0")}
        body = b""
        if method == "OPTIONS":
            said["Public"] = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"
        elif method == "DESCRIBE":
            if not self._parameters:
                return _reply("503 Service Unavailable", said, b"")
            body = self._description()
            said |= {"Content-Type": "application/sdp", "Content-Base": f"{self.url}/"}
        elif method == "SETUP":
            if "interleaved" not in headers.get("transport", ""):
                return _reply("461 Unsupported Transport", said, b"")
            said |= {"Transport": "RTP/AVP/TCP;unicast;interleaved=0-1", "Session": reader.session}
        elif method in ("PLAY", "GET_PARAMETER", "TEARDOWN"):
            reader.playing = method != "TEARDOWN" and (reader.playing or method == "PLAY")
            said["Session"] = reader.session
        else:
            return _reply("501 Not Implemented", said, b"")
        return _reply("200 OK", said, body)

    def _description(self) -> bytes:
        sets = ",".join(base64.b64encode(self._parameters[kind]).decode() for kind in (_SPS, _PPS))
        profile = self._parameters[_SPS][1:4].hex()
        lines = (
            "v=0",
            "o=- 1 1 IN IP4 127.0.0.1",
            "s=Sitewarden demonstration camera",
            "c=IN IP4 0.0.0.0",
            "t=0 0",
            "m=video 0 RTP/AVP 96",
            f"a=rtpmap:96 H264/{CLOCK_HZ}",
            f"a=fmtp:96 packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={sets}",
            "a=control:track1",
        )
        return ("\r\n".join(lines) + "\r\n").encode()


async def _request(stream: asyncio.StreamReader) -> tuple[str, dict[str, str]] | None:
    """The next request's method and headers; what a reader reports back in between is passed over."""
    while True:
        first = await stream.read(1)
        if not first:
            return None
        if first == b"$":
            _, length = struct.unpack("!BH", await stream.readexactly(3))
            await stream.readexactly(length)
            continue
        head = (first + await stream.readuntil(b"\r\n\r\n")).decode("ascii", "replace").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        await stream.readexactly(int(headers.get("content-length", "0") or 0))
        return head[0].split(" ")[0], headers


def _reply(status: str, headers: dict[str, str], body: bytes) -> bytes:
    lines = [f"RTSP/1.0 {status}", *(f"{name}: {value}" for name, value in headers.items())]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _interleaved(channel: int, packet: bytes) -> bytes:
    return struct.pack("!BBH", 0x24, channel, len(packet)) + packet


def _sender_report(reader: _Reader, at_ns: int, rtp_time: int) -> bytes:
    """RTCP SR: which RTP time is which time of day."""
    seconds, rest_ns = divmod(at_ns, 1_000_000_000)
    ntp = (seconds + _NTP_EPOCH_S) & 0xFFFFFFFF, (rest_ns << 32) // 1_000_000_000
    return struct.pack("!BBHIIIIII", 0x80, 200, 6, _SSRC, *ntp, rtp_time, reader.packets, reader.octets & 0xFFFFFFFF)
