"""Frames of a clip, a folder of pictures or a stream, at a rate that is to be judged, in the process that asks.

In: a `CapturePlan`. Out: `Frame`s until the source ends. For `sitewarden vision watch` and the benchmarks; the gateway
captures in processes of its own (`vision.camera.capture`).

A clip's frames are numbered as they are decoded, from 0, and its time begins at 0: a table of frame numbers fits them,
however few of them are judged. A stream's are those of its clock, or of their arrival.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av

from vision.camera.address import SourceKind, file_path, source_kind
from vision.camera.decoding import Decoding
from vision.camera.faults import CaptureFault
from vision.camera.folder_input import FolderInput
from vision.camera.plan import CapturePlan
from vision.camera.video_input import VideoInput
from vision.picture.frame import Frame

SECOND_NS = 1_000_000_000


def frames_of(plan: CapturePlan, fps: float) -> Iterator[Frame]:
    """At most `fps` frames a second of the source. Ends with the source; raises CaptureFault when it cannot be opened,
    or breaks off."""
    kind = source_kind(plan.source)
    path = Path(file_path(plan.source))
    if kind is SourceKind.FOLDER or (kind is SourceKind.FILE and path.is_dir()):
        return _of_folder(plan, path, fps)
    return _of_video(plan, fps, live=kind is not SourceKind.FILE)


def _of_folder(plan: CapturePlan, path: Path, fps: float) -> Iterator[Frame]:
    """Every picture is judged, as if they had come at `fps`."""
    pictures = FolderInput(path, fps=fps, loop=False, realtime=False).pictures(_no_wait)
    try:
        for seq, picture in enumerate(pictures):
            if picture is not None:
                yield _frame(plan.camera, seq, round(seq * SECOND_NS / fps), picture)
    except CaptureFault as fault:
        if not fault.final:
            raise


def _of_video(plan: CapturePlan, fps: float, live: bool) -> Iterator[Frame]:
    """The frame nearest to each moment that is due: rates do not divide evenly."""
    due_ns: float | None = None
    before_ns, period_ns = 0, SECOND_NS / fps
    for seq, (at_ns, picture) in enumerate(_pictures(plan, live)):
        half_gap_ns, before_ns = (at_ns - before_ns) / 2, at_ns
        if due_ns is None or at_ns >= due_ns - half_gap_ns:
            due_ns = max((at_ns if due_ns is None else due_ns) + period_ns, at_ns + period_ns / 2)
            yield _frame(plan.camera, seq, at_ns, picture)


def _pictures(plan: CapturePlan, live: bool) -> Iterator[tuple[int, Any]]:
    """Every decoded picture with its time."""
    source = VideoInput(plan, plan.source)
    decoding = Decoding(plan.read_timeout_s)
    decoding.begin(source.decoder)
    try:
        for arrival in source.packets(_no_wait):
            if not live:
                yield from _clip_pictures(source, arrival.packet)
                continue
            for picture in decoding.pictures_of(arrival):
                known = source.clock is not None and picture.pts is not None
                taken = source.clock.at(float(picture.pts * picture.time_base)) if known and source.clock else None
                yield arrival.received_at_ns if taken is None else taken, picture
    except CaptureFault as fault:
        if live or not fault.final:
            raise
        yield from _clip_pictures(source, None)
    finally:
        source.close()


def _clip_pictures(source: VideoInput, packet: Any) -> Iterator[tuple[int, Any]]:
    """What a packet completes; nothing of one that cannot be decoded. None flushes."""
    try:
        pictures = source.decoder.decode(packet)
    except (av.FFmpegError, ValueError):
        return
    for picture in pictures:
        if picture.pts is not None:  # a flushed picture has lost its time base, its stream has not
            yield round((picture.pts - (source.stream.start_time or 0)) * source.stream.time_base * SECOND_NS), picture


def _frame(camera: str, seq: int, at_ns: int, picture: Any) -> Frame:
    image = picture.to_ndarray(format="bgr24")
    return Frame(camera, seq, at_ns, time.time_ns(), False, 1, image)


def _no_wait(_seconds: float) -> None:
    """Clips are read as fast as they can be judged."""
