"""What capturing costs on this machine: decoding and converting one picture, and the memory of a capture process.

In: a film made here (`make_film`) or anybody's. Out: figures, for the bench and for whoever plans a box.

    python -m vision.camera.measure [--codec hevc] [--width 1920 --height 1080] [--mbit-s 4] [--seconds 40]

The film is rendered: textures that move, at the bit rate of an ordinary site camera. Nothing of it is a real picture.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kit.clock import SystemClock
from vision.camera.capture_handle import CaptureHandle
from vision.camera.settings import CameraLinkSettings

_ENCODERS = {"h264": "libx264", "hevc": "libx265"}
_SAMPLE_S = 0.2
_DEADLINE_S = 60.0


@dataclass(frozen=True, slots=True)
class DecodeCost:
    """Processor time on one thread for one picture: `decode_ms`, and `convert_ms` to BGR and into shared memory."""

    codec: str
    width_px: int
    height_px: int
    pictures: int
    decode_ms: float
    convert_ms: float


@dataclass(frozen=True, slots=True)
class Footprint:
    """One capture process while it works: resident memory with the frame slot and the libraries (`peak_rss_mb` of
    1,000,000 bytes), the part of it that is its own (`own_mb`), and processor time for each decoded picture, everything
    included."""

    codec: str
    width_px: int
    height_px: int
    frames_per_s: float
    converted_per_s: float
    ring_mb_max: float
    peak_rss_mb: float
    own_mb: float
    cpu_ms_per_picture: float


def make_film(
    path: Path, codec: str, size_px: tuple[int, int], fps: int, seconds: float, full_hd_mbit_s: float = 4.0
) -> None:
    """Render and encode a film: so many Mbit/s at 1080p, fewer for a smaller picture; a key frame every two seconds, no
    B-frames, as site cameras do."""
    import av  # noqa: PLC0415  the gateway imports this module's neighbours, and never libav

    width, height = size_px
    rate_bit_s = int(full_hd_mbit_s * 1e6 * width * height / (1920 * 1080))
    options = {"preset": "veryfast", "maxrate": str(rate_bit_s), "bufsize": str(rate_bit_s)}
    if codec == "hevc":
        options["x265-params"] = f"log-level=0:pools=1:frame-threads=1:keyint={2 * fps}"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(_ENCODERS[codec], fps, options=options)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = width, height, "yuv420p", rate_bit_s
        stream.gop_size, stream.max_b_frames, stream.thread_count = 2 * fps, 0, 1
        stream.time_base = Fraction(1, fps)
        ground = _texture(width + 256, height + 256)
        for number in range(int(fps * seconds)):
            picture = av.VideoFrame.from_ndarray(_scene(ground, number, size_px), format="bgr24")
            picture.pts, picture.time_base = number, Fraction(1, fps)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


def _texture(width: int, height: int) -> NDArray[np.uint8]:
    source = np.random.default_rng(3)
    coarse = source.integers(30, 200, (height // 16 + 1, width // 16 + 1, 3))
    grown = np.repeat(np.repeat(coarse, 16, 0), 16, 1)[:height, :width]
    return np.clip(grown + source.normal(0, 6, (height, width, 1)), 0, 255).astype(np.uint8)


def _scene(ground: NDArray[np.uint8], number: int, size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """The camera stands still; blocks as large as people walk through."""
    width, height = size_px
    picture = ground[:height, :width].copy()
    for walker in range(12):
        x = (walker * 157 + number * (3 + walker % 5)) % max(1, width - width // 24)
        y = (walker * 89) % max(1, height - height // 6)
        picture[y : y + height // 6, x : x + width // 24] = (20 * walker, 255 - 20 * walker, 128)
    return picture


def decode_cost(path: Path, pictures: int = 150) -> DecodeCost:
    """Decode a film's first pictures on one thread as the capture process does. Raises OSError or ValueError when it
    is no film."""
    import av  # noqa: PLC0415

    decode_s = convert_s = 0.0
    count = 0
    with av.open(str(path)) as container, memoryview(bytearray(64 + 7680 * 4320 * 3)) as slot:
        stream: Any = container.streams.video[0]
        stream.codec_context.thread_count, stream.codec_context.thread_type = 1, "NONE"
        packets = container.demux(stream)
        while count < pictures and (packet := next(packets, None)) is not None:
            began_s = time.thread_time()
            decoded = packet.decode()
            decode_s += time.thread_time() - began_s
            for picture in decoded:
                began_s = time.thread_time()
                with memoryview(picture.reformat(format="bgr24", threads=1).planes[0]) as rows:
                    slot[: len(rows)] = rows
                convert_s += time.thread_time() - began_s
                count += 1
        context = stream.codec_context
        if not count:
            raise ValueError(f"{path.name} holds no picture")
        return DecodeCost(
            context.codec.canonical_name,
            context.width,
            context.height,
            count,
            1000 * decode_s / count,
            1000 * convert_s / count,
        )


async def capture_footprint(settings: CameraLinkSettings, seconds: float = 20.0) -> Footprint:
    """Run one real capture process and watch it from outside, from its first picture on. Raises TimeoutError when no
    picture comes."""
    clock = SystemClock()
    handle = CaptureHandle(settings, clock)
    running = asyncio.create_task(handle.run())
    try:
        async with asyncio.timeout(_DEADLINE_S):
            while not handle.state().report.frames:
                await clock.sleep(_SAMPLE_S)
        return await _watch(handle, settings, seconds)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        handle.close()


async def _watch(handle: CaptureHandle, settings: CameraLinkSettings, seconds: float) -> Footprint:
    clock = SystemClock()
    pid = handle.state().pid
    assert pid is not None
    first, cpu_first_s, began_s = handle.state().report, _cpu_s(pid), time.monotonic()
    peak = own = 0.0
    while time.monotonic() - began_s < seconds:
        await clock.sleep(_SAMPLE_S)
        memory = _memory_mb(pid)
        peak, own = max(peak, memory["VmRSS"]), max(own, memory["RssAnon"])
    last, passed_s = handle.state().report, time.monotonic() - began_s
    pictures = max(1, last.frames - first.frames)
    return Footprint(
        last.codec,
        last.width_px,
        last.height_px,
        pictures / passed_s,
        (last.converted - first.converted) / passed_s,
        settings.ring_max_mb,
        peak,
        own,
        1000 * (_cpu_s(pid) - cpu_first_s) / pictures,
    )


def _memory_mb(pid: int) -> dict[str, float]:
    lines = (line.split() for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) * 1024 / 1e6 for words in lines if words[-1] == "kB"}


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(argv: list[str]) -> int:
    """Print both figures as one JSON object."""
    parser = argparse.ArgumentParser(prog="python -m vision.camera.measure", description="what capturing costs here")
    parser.add_argument("--codec", choices=sorted(_ENCODERS), default="h264")
    parser.add_argument("--width", type=int, default=1920)
    parser.add_argument("--height", type=int, default=1080)
    parser.add_argument("--fps", type=int, default=15)
    parser.add_argument("--mbit-s", type=float, default=4.0, help="of the film, at 1080p")
    parser.add_argument("--seconds", type=float, default=40.0, help="the ring is full after 30")
    asked = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="sitewarden-measure-") as folder:
        film = Path(folder) / "film.mp4"
        make_film(film, asked.codec, (asked.width, asked.height), asked.fps, 6.0, asked.mbit_s)
        cost = decode_cost(film)
        settings = CameraLinkSettings(id="measured", driver="camera", source=str(film), loop=True, fps_cap=5.0)
        footprint = asyncio.run(capture_footprint(settings, asked.seconds))
        report = {"decode": asdict(cost), "capture": asdict(footprint), "film_bytes": film.stat().st_size}
    sys.stdout.write(json.dumps(report) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
