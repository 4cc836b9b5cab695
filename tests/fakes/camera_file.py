"""A drawn scene in a video file: what a camera would have recorded, for tests and benches without a stream."""

import fractions
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

Drawn = Callable[[int], np.ndarray]


def write_video(path: Path, draw: Drawn, frames: int, fps: int, codec: str = "libx264") -> Path:
    """`draw(i)` gives picture i, (h, w, 3) uint8 BGR; key frames once a second."""
    first = draw(0)
    height, width = first.shape[:2]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = fractions.Fraction(1, fps)
        stream.codec_context.thread_count = 1
        stream.codec_context.gop_size = fps
        stream.options = {"preset": "ultrafast", "crf": "18"}
        for i in range(frames):
            picture = av.VideoFrame.from_ndarray(first if i == 0 else draw(i), format="bgr24")
            picture.pts = i
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path
