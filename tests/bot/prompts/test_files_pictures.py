"""Pictures as cameras and programs make them: upright, plain and no larger than providers take."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bot.domain.messages import File
from bot.prompts.files.child_answers import PICTURE
from tests.support.files import SEES, gather, noise, picture, save, show

RED, BLUE = (255, 0, 0), (0, 0, 255)


async def seen(data: bytes, **settings: Any) -> File:
    """The picture as the model is shown it."""
    material = await gather({"a.png": data}, SEES, **settings)
    assert (material.text, material.notes) == ("", ())
    (file,) = material.files
    return file


def near(image: Image.Image, at: tuple[int, int], color: tuple[int, int, int]) -> bool:
    """Whether a pixel has about this colour: JPEG changes it a little."""
    found = image.convert("RGB").getpixel(at)
    assert isinstance(found, tuple)
    return all(abs(one - other) < 30 for one, other in zip(found, color, strict=True))


@pytest.mark.parametrize(
    ("mode", "format", "color", "shown"),
    [
        ("1", "PNG", 1, 255),
        ("L", "PNG", 128, 128),
        ("P", "PNG", 0, 0),
        ("I;16", "PNG", 32768, 128),
        ("CMYK", "JPEG", (0, 0, 0, 0), 255),
        ("L", "JPEG", 128, 128),
    ],
)
async def test_every_kind_of_colour_is_seen(mode: str, format: str, color: Any, shown: int) -> None:
    """Black and white, grey, palettes, print colours, sixteen bits."""
    image = show((await seen(picture((9, 9), format, mode, color))).data)
    assert (image.format, image.mode) == ("JPEG", "RGB")
    assert near(image, (4, 4), (shown, shown, shown))


@pytest.mark.parametrize("format", ["PNG", "WEBP", "GIF"])
async def test_what_one_can_see_through_stays_so(format: str) -> None:
    """It becomes a PNG."""
    image = Image.new("RGBA", (20, 10), (0, 0, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 10, 10))
    file = await seen(save(image, format))
    made = show(file.data)
    assert (file.media_type, made.format, made.mode) == ("image/png", "PNG", "RGBA")
    assert made.getchannel("A").getpixel((15, 5)) == 0
    assert near(made, (5, 5), RED)


async def test_a_channel_that_hides_nothing_is_dropped() -> None:
    """A JPEG is a fraction of the size."""
    assert (await seen(picture(mode="RGBA", color=(255, 0, 0, 255)))).media_type == "image/jpeg"


@pytest.mark.parametrize(
    ("size", "shown"), [((3000, 1000), (600, 200)), ((500, 2000), (150, 600)), ((20, 10), (20, 10))]
)
@pytest.mark.parametrize("format", ["PNG", "JPEG"])
async def test_the_longer_edge_is_bounded(size: tuple[int, int], shown: tuple[int, int], format: str) -> None:
    """The proportions stay; what is small is not blown up."""
    assert show((await seen(picture(size, format), edge=600)).data).size == shown


async def test_a_photo_stands_upright_and_tells_nothing() -> None:
    """Its orientation is carried out; place, comment, preview and profile are gone."""
    image = Image.new("RGB", (40, 20), BLUE)
    image.paste(RED, (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "secret place"
    data = save(image, "JPEG", exif=exif, comment=b"secret comment", icc_profile=b"secret profile")
    made = show((await seen(data)).data)
    assert made.size == (20, 40)
    assert (near(made, (10, 5), RED), near(made, (10, 35), BLUE)) == (True, True)
    assert b"secret" not in (await seen(data)).data
    assert not made.getexif()


async def test_a_png_tells_nothing_either() -> None:
    """Its texts are dropped, also where it stays a PNG."""
    info = PngInfo()
    info.add_text("prompt", "secret")
    info.add_text("more", "secret", zip=True)
    file = await seen(picture(mode="RGBA", color=0, pnginfo=info, dpi=(7, 7)))
    assert (file.media_type, show(file.data).info) == ("image/png", {})


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"Exif\0\0MM\0*\0", b"Exif\0\0II*\0\x08\0\0\0\xff\xff"])
async def test_broken_exif_does_not_hide_a_picture(format: str, exif: bytes) -> None:
    """It is only the orientation that is lost."""
    assert show((await seen(picture(format=format, exif=exif))).data).size == (8, 6)


async def test_of_an_animation_the_first_picture_is_seen() -> None:
    """In GIF, WebP and PNG."""
    frames = [Image.new("RGB", (8, 8), color) for color in (RED, BLUE)]
    for kind in ("GIF", "WEBP", "PNG"):
        data = save(frames[0], kind, save_all=True, append_images=frames[1:])
        assert near(show((await seen(data)).data), (4, 4), RED)


async def test_a_picture_never_has_more_bytes_than_providers_take() -> None:
    """One that cannot be compressed loses first what one can see through, then its size."""
    clear = noise((1568, 1568)).convert("RGBA")
    clear.putalpha(noise((1568, 1568)))
    data = save(clear, "PNG", compress_level=1)
    assert len(data) > PICTURE
    file = await seen(data)
    assert (file.media_type, show(file.data).size) == ("image/jpeg", (1568, 1568))
    assert len(file.data) <= PICTURE
    file = await seen(save(noise((4000, 4000)), "JPEG", quality=30), edge=8000)
    assert show(file.data).size == (2000, 2000)
    assert len(file.data) <= PICTURE


async def test_the_bound_of_pixels_is_exact() -> None:
    """As many as the settings say are opened, one more is not."""
    assert await seen(picture((10, 10)), pixels=100)
    note = "a has too many pixels: I open pictures of at most 9.9e-05 million."
    assert (await gather({"a": picture((10, 10))}, pixels=99)).notes == (note,)
