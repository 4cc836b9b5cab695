"""Small drawn pictures for twins: a site seen from a mast, never twice the same, with no person in it."""

import io
import random
from functools import lru_cache

from PIL import Image, ImageDraw

SIZE_PX = (160, 90)


@lru_cache(maxsize=512)
def drawn_picture(seed: int) -> bytes:
    """A JPEG of 160 x 90 px, 3 to 5 kB."""
    chance = random.Random(seed)  # noqa: S311 - drawn scenery needs no cryptography
    sky = (150 + chance.randrange(60), 165 + chance.randrange(60), 190 + chance.randrange(60))
    image = Image.new("RGB", SIZE_PX, sky)
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 62, 160, 90), fill=(120, 105, 85))
    for left in range(8, 150, 30):
        top = 20 + chance.randrange(30)
        shade = 90 + chance.randrange(80)
        pen.rectangle((left, top, left + 22, 66), fill=(shade, shade, shade - 8))
        for floor in range(top + 4, 62, 7):
            pen.line((left, floor, left + 22, floor), fill=(shade - 30,) * 3)
    mast = 20 + chance.randrange(110)
    pen.line((mast, 4, mast, 64), fill=(225, 190, 40), width=2)
    pen.line((max(0, mast - 14), 8, min(159, mast + 46), 8), fill=(225, 190, 40), width=2)
    noise = [chance.randrange(-8, 9) for _ in range(160)]
    pixels = image.load()
    assert pixels is not None
    for x, change in enumerate(noise):
        for y in range(62, 90, 3):
            red, green, blue = pixels[x, y]  # type: ignore[misc]
            pixels[x, y] = (red + change, green + change, blue + change)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=70)
    return out.getvalue()
