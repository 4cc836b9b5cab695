"""The story's camera as its own process: `python -m drivers.sim.camera --folder FOLDER`. Draws, encodes, serves RTSP.

Out: on stdout one JSON line once it listens; in the folder `camera-reference.jpg` (the scene with its whole rail) and
`camera-survey.json`. The story begins when somebody plays the stream for the first time. Ends after `--seconds`, or on
SIGTERM or SIGINT, with exit status 0.

    {"ready": true, "url": "rtsp://127.0.0.1:40123/cam-1", "reference": "...", "survey": "...", "story": [...]}
"""

import argparse
import asyncio
import fractions
import hashlib
import json
import os
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path

import av
import cv2

from drivers.sim.camera_scene import HEIGHT_PX, WIDTH_PX, Image, draw_scene, scene_survey
from drivers.sim.camera_story import CAMERA_CHAPTERS, CameraStory
from drivers.sim.rtsp import AccessUnit, RtspServer, split_annex_b

KEY_EVERY_S = 1.0


class SceneEncoder:
    """H.264, low delay, parameter sets with every key picture."""

    def __init__(self, fps: int) -> None:
        context = av.CodecContext.create("libx264", "w")
        assert isinstance(context, av.VideoCodecContext)
        context.width, context.height, context.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        context.time_base, context.framerate = fractions.Fraction(1, fps), fractions.Fraction(fps, 1)
        context.gop_size = round(fps * KEY_EVERY_S)
        context.bit_rate = 2_500_000
        context.thread_count = 1
        context.options = {"preset": "veryfast", "tune": "zerolatency", "forced-idr": "1"}
        self._context = context
        self._count = 0

    def encode(self, image: Image, at_ns: int) -> AccessUnit | None:
        """One picture in, one access unit out."""
        frame = av.VideoFrame.from_ndarray(image, format="bgr24")
        frame.pts, frame.time_base = self._count, self._context.time_base
        self._count += 1
        nals = [nal for packet in self._context.encode(frame) for nal in split_annex_b(bytes(packet))]
        return AccessUnit(tuple(nals), at_ns) if nals else None


def main(arguments: list[str] | None = None) -> int:
    """Parse the arguments, run, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m drivers.sim.camera", description="A simulated site camera.")
    parser.add_argument("--folder", type=Path, required=True, help="where the reference picture and the survey go")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--camera", default="cam-1-eye", help="the device that the survey is for")
    parser.add_argument("--fps", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1, help="same seed, same rounds")
    parser.add_argument("--begin-s", type=float, default=0, help="where in its round the story begins")
    parser.add_argument("--calm", action="store_true", help="nothing is wrong in any round")
    parser.add_argument("--seconds", type=float, default=0, help="end by itself after so long; 0 runs until SIGTERM")
    return asyncio.run(_run(parser.parse_args(arguments)))


async def _run(args: argparse.Namespace) -> int:
    cv2.setNumThreads(1)
    story, server, encoder = CameraStory(args.seed, args.calm), RtspServer(), SceneEncoder(args.fps)
    written = write_survey(args.folder, args.camera, time.time_ns())
    await server.start(args.port)
    server.send(_first(encoder))
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    playing: asyncio.Task[object] = asyncio.create_task(_play(story, server, encoder, args.fps, args.begin_s))
    waiting: asyncio.Task[object] = asyncio.create_task(over.wait())
    chapters = [asdict(chapter) for chapter in CAMERA_CHAPTERS]
    ready = {"ready": True, "pid": os.getpid(), "url": server.url, "story": chapters, **written}
    print(json.dumps(ready), flush=True)
    done, _ = await asyncio.wait({playing, waiting}, timeout=args.seconds or None, return_when=asyncio.FIRST_COMPLETED)
    for task in (playing, waiting):
        task.cancel()
    await server.stop()
    for task in done:
        task.result()
    return 0


async def _play(story: CameraStory, server: RtspServer, encoder: SceneEncoder, fps: int, begin_s: float) -> None:
    """Draw and send at an even pace; the story stands still at `begin_s` until somebody plays."""
    began_s = time.monotonic() - begin_s
    due_s, number, told = began_s, 0, False
    while True:
        if not told and not server.readers:
            began_s = time.monotonic() - begin_s
        told = told or server.readers > 0
        image = await asyncio.to_thread(draw_scene, story.state(time.monotonic() - began_s), number)
        unit = await asyncio.to_thread(encoder.encode, image, time.time_ns())
        if unit is not None:
            server.send(unit)
        number += 1
        due_s = max(due_s + 1 / fps, time.monotonic() - 1 / fps)
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))


def _first(encoder: SceneEncoder) -> AccessUnit:
    """The first picture, whose parameter sets a reader asks for before it plays."""
    unit = encoder.encode(draw_scene(CameraStory(calm=True).state(0.0), 0), time.time_ns())
    assert unit is not None, "no delay was asked for"
    return unit


def write_survey(folder: Path, camera: str, made_at_ns: int) -> dict[str, str]:
    """The reference picture and the survey drawn on it; where they lie."""
    image = draw_scene(CameraStory(calm=True).state(0.0), 0)
    done, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 92])
    assert done
    body = encoded.tobytes()
    survey = scene_survey(camera, 1, made_at_ns, "demo", hashlib.sha256(body).hexdigest())
    paths = folder / "camera-reference.jpg", folder / "camera-survey.json"
    paths[0].write_bytes(body)
    paths[1].write_text(json.dumps(survey.document(), ensure_ascii=False), encoding="utf-8")
    return {"reference": str(paths[0]), "survey": str(paths[1])}


if __name__ == "__main__":
    sys.exit(main())
