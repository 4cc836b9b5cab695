"""Clips that the block model (`block_model`) can read: coloured cells on grey, as a real video file.

H.264 at a high quality keeps the colours pure enough; the cells are drawn twice as large as the model's.
"""

from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from tests.fakes.block_model import paint

Blocks = list[tuple[str, int, int]]
WIDTH, HEIGHT, CELL_PX = 512, 320, 32
_COARSE = cv2.resize(np.random.default_rng(1).normal(104, 24, (40, 64)), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
PLASTER = np.clip(_COARSE + np.random.default_rng(2).normal(0, 2, (HEIGHT, WIDTH)), 0, 255).astype(np.uint8)


def write_clip(path: Path, blocks_at: Callable[[float], Blocks], seconds: float, fps: int = 5) -> Path:
    """A clip of blocks (class, column, row of 16 x 10 cells) that change with time."""
    pictures = (picture(blocks_at(n / fps), n) for n in range(round(seconds * fps)))
    return write_pictures(path, pictures, fps)


def write_pictures(path: Path, pictures: Iterable[np.ndarray], fps: int = 5) -> Path:
    """A clip of any pictures of one size."""
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream("libx264", rate=Fraction(fps), options={"crf": "4", "preset": "ultrafast"})
        stream.pix_fmt = "yuv444p"
        for image in pictures:
            if not stream.codec_context.is_open:
                stream.height, stream.width = image.shape[:2]
            file.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        file.mux(stream.encode(None))
    return path


def picture(blocks: Blocks, number: int = 0) -> np.ndarray:
    """One picture, on rough plaster and with a mark that moves, so that nothing ails it."""
    image = paint(blocks, WIDTH, HEIGHT, cell=CELL_PX)
    grey = (image == image[..., :1]).all(axis=2)
    image[grey] = PLASTER[grey][:, None]
    cv2.circle(image, (40 + 7 * number % 400, 16), 6, (200, 200, 200), -1)
    return image
