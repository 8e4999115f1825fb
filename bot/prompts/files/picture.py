"""A program of its own: a picture on stdin becomes one that every provider takes, on stdout.

It is a process because a small file can take a decoder hours (a JPEG of thousands of scans), and a thread cannot be
ended. Called with the most pixels to open and the longest edge to give.
"""

from __future__ import annotations

import struct
import sys
import warnings
from contextlib import suppress
from io import BytesIO

from PIL import Image, ImageOps

from bot.prompts.files.child_answers import PICTURE, VAST
from bot.prompts.files.child_limits import confine

PIXEL = 16
"""Bytes that one pixel may need on the way: WebP holds it three times."""
FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
QUALITY = 85
WHITE = (255, 255, 255)


def main() -> None:
    """Read, shrink, write. Whatever is wrong with the picture ends the process without an answer."""
    pixels, edge = map(int, sys.argv[1:])
    confine(PIXEL * pixels)
    Image.MAX_IMAGE_PIXELS = None  # counted here, before anything is decoded
    warnings.simplefilter("ignore")
    image: Image.Image = Image.open(BytesIO(sys.stdin.buffer.read()), formats=FORMATS)
    if image.width * image.height > pixels:
        sys.stdout.buffer.write(VAST)
    else:
        sys.stdout.buffer.write(encode(shrink(image, edge)))


def shrink(image: Image.Image, edge: int) -> Image.Image:
    """The first frame, upright, its longer edge at most `edge`, without metadata; RGBA only where one can see through.

    A JPEG is decoded no larger than needed.
    """
    if image.has_transparency_data:
        image = image.convert("RGBA")
    elif image.mode.startswith("I"):  # sixteen bits of grey, which would all be white in eight
        image = image.convert("I").point(lambda level: level * (1 / 257) + 0).convert("L")
    elif image.mode not in ("RGB", "CMYK", "L"):
        image = image.convert("RGB")
    image.thumbnail((edge, edge))
    with suppress(SyntaxError, ValueError, LookupError, TypeError, struct.error):  # EXIF that is none
        image = ImageOps.exif_transpose(image)
    clear = image.mode == "RGBA" and image.getchannel("A").getextrema() != (255, 255)
    plain = image if clear else image.convert("RGB")
    plain.info.clear()
    return plain


def encode(image: Image.Image) -> bytes:
    """The picture as PNG where one can see through it, else as JPEG; made smaller until `PICTURE` bytes are enough."""
    while True:
        file = BytesIO()
        if image.mode == "RGBA":
            image.save(file, "PNG")
        else:
            image.save(file, "JPEG", quality=QUALITY)
        if file.tell() <= PICTURE:
            return b"image/%s\n" % (b"png" if image.mode == "RGBA" else b"jpeg") + file.getvalue()
        image = flatten(image) if image.mode == "RGBA" else image.reduce(2)


def flatten(image: Image.Image) -> Image.Image:
    """The picture on white."""
    ground = Image.new("RGB", image.size, WHITE)
    ground.paste(image, mask=image.getchannel("A"))
    return ground


if __name__ == "__main__":
    main()
