"""Bytes of image files to pixels: what is kept, what is left out, what is refused."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ingest_pictures import FORMATS, colored, noisy, saved
from PIL import Image

from cipherset.core.errors import InputError
from cipherset.pipeline.ingest.pictures.decode import MOST_BYTES, MOST_PIXELS, _scaled, decoded

SIDE = 8
CANARY = "CANARY-7f3a"
RED, BLUE = (220, 10, 10), (10, 10, 220)


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_gives_its_color(form):
    pixels = decoded(saved(colored((20, 20), RED), form), SIDE, place="it")
    assert pixels.shape == (SIDE, SIDE, 3)
    assert pixels.dtype == np.uint8
    assert np.abs(pixels.astype(int) - RED).max() <= 4  # a JPEG is not exact


@pytest.mark.parametrize(
    ("size", "box"), [((30, 10), (10, 0, 20, 10)), ((10, 30), (0, 10, 10, 20))]
)
def test_it_is_the_central_square(size, box):
    image = colored(size, BLUE)
    image.paste(RED, box)
    assert (decoded(saved(image), SIDE, place="it") == RED).all()


def test_it_is_upright_whatever_the_camera_was():
    image = noisy(1, (16, 16))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    turned = image.transpose(Image.Transpose.ROTATE_90)
    raw = saved(turned, exif=exif.tobytes())
    np.testing.assert_array_equal(decoded(raw, 16, place="it"), np.asarray(image))


def test_nothing_but_pixels_goes_on():
    """Place, time, camera and comment make no difference."""
    exif = Image.Exif()
    exif[0x010F] = CANARY
    exif.get_ifd(0x8825)[1] = "N"
    image = noisy(2)
    bare, told = saved(image, "WEBP", lossless=True), saved(image, "WEBP", lossless=True, exif=exif)
    assert bare != told
    expected = decoded(bare, SIDE, place="it")
    np.testing.assert_array_equal(decoded(told, SIDE, place="it"), expected)


def test_what_is_transparent_is_white():
    """And not the color that somebody thought was hidden."""
    hidden = Image.new("RGBA", (SIDE, SIDE), (*RED, 0))
    assert (decoded(saved(hidden), SIDE, place="it") == 255).all()
    coded = Image.new("P", (SIDE, SIDE), 1)
    coded.putpalette([0, 0, 0, *RED])
    raw = saved(coded, transparency=1)
    assert (decoded(raw, SIDE, place="it") == 255).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK"])
def test_other_ways_of_color(mode):
    form = "JPEG" if mode == "CMYK" else "PNG"
    raw = saved(colored((SIDE, SIDE), (255, 255, 255)).convert(mode), form)
    assert decoded(raw, SIDE, place="it").min() >= 250


def test_sixteen_bits_are_scaled_and_not_cut_off():
    values = np.full((SIDE, SIDE), 0x8000, dtype=np.uint16)
    assert (decoded(saved(Image.fromarray(values)), SIDE, place="it") == 0x80).all()


@pytest.mark.parametrize("most", [65535, 1023, 255])
@pytest.mark.parametrize("share", [0, 0.25, 0.5, 1])
def test_gray_of_any_depth_is_the_same_gray(most, share):
    """PGM says how bright white is; Pillow hands out 32 bits for it where 8 do not do."""
    value = round(share * most)
    samples = np.full((SIDE, SIDE), value, dtype=">u2" if most > 255 else np.uint8)
    raw = f"P5\n{SIDE} {SIDE}\n{most}\n".encode() + samples.tobytes()
    pixels = decoded(raw, SIDE, place="it").astype(int)
    assert np.abs(pixels - 255 * value / most).max() <= 0.5


def test_a_ramp_of_sixteen_bits_stays_a_ramp():
    ramp = np.tile(np.linspace(0, 65535, 64).astype(">u2"), (64, 1))
    raw = b"P5\n64 64\n65535\n" + ramp.tobytes()
    expected = np.rint(ramp[:, :, None] / 257).repeat(3, axis=2)
    np.testing.assert_array_equal(decoded(raw, 64, place="it"), expected)


def test_samples_that_are_no_whole_numbers_are_refused():
    """How bright their white is, no file of these says."""
    raw = f"Pf\n{SIDE} {SIDE}\n-1.0\n".encode() + bytes(4 * SIDE * SIDE)
    with pytest.raises(InputError) as refusal:
        decoded(raw, SIDE, place="it")
    assert refusal.value.code == "image_unreadable"


@pytest.mark.parametrize("value", [-1, 65536])
def test_samples_of_more_bits_are_refused(value):
    with pytest.raises(ValueError, match="more than 16"):
        _scaled(np.full((2, 2), value))


def test_an_animation_is_its_first_frame():
    frames = [colored((SIDE, SIDE), color) for color in (RED, BLUE)]
    raw = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert np.abs(decoded(raw, SIDE, place="it").astype(int) - RED).max() <= 4


def test_a_bomb_is_refused_by_its_header():
    """A few bytes that claim more pixels than memory holds; nothing is decoded."""
    for width, height in ((100_000, 100_000), (MOST_PIXELS // 100 + 1, 100), (12_000, 12_000)):
        with pytest.raises(InputError, match=r"it: .*at most") as refusal:
            decoded(_bomb(width, height), SIDE, place="it")
        assert refusal.value.code == "image_too_large"


def test_a_file_may_be_too_large_too():
    with pytest.raises(InputError, match=f"{MOST_BYTES + 1} bytes") as refusal:
        decoded(bytes(MOST_BYTES + 1), SIDE, place="it")
    assert refusal.value.code == "image_too_large"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        CANARY.encode(),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        saved(noisy(3), "TIFF"),
        saved(noisy(3), "PDF"),
        saved(noisy(3), "JPEG")[:-40],
        saved(noisy(3))[:60],
    ],
    ids=["empty", "text", "svg", "tiff", "pdf", "half a JPEG", "half a PNG"],
)
def test_what_is_no_image_is_refused(raw):
    with pytest.raises(InputError, match="it: no image that can be read") as refusal:
        decoded(raw, SIDE, place="it")
    assert refusal.value.code == "image_unreadable"
    assert CANARY not in str(refusal.value) + refusal.value.hint
    assert refusal.value.__suppress_context__


@settings(max_examples=150, deadline=None)
@example(form="GIF", at=6, put=b"\xff\xff\xff\xff", cut=0)
@given(
    form=st.sampled_from(FORMATS),
    at=st.integers(0, 400),
    put=st.binary(max_size=6),
    cut=st.integers(0, 30),
)
def test_damage_gives_pixels_or_a_refusal(form, at, put, cut):
    """Never another error, and no warning."""
    raw = saved(noisy(4), form)
    damaged = (raw[:at] + put + raw[at + len(put) :])[: max(0, len(raw) - cut)]
    try:
        pixels = decoded(damaged, SIDE, place="it")
    except InputError as refusal:
        assert refusal.code in {"image_unreadable", "image_too_large"}
    else:
        assert pixels.shape == (SIDE, SIDE, 3)


def _bomb(width: int, height: int) -> bytes:
    def chunk(name: bytes, held: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + held))
        return struct.pack(">I", len(held)) + name + held + check

    out = io.BytesIO(b"\x89PNG\r\n\x1a\n")
    out.seek(0, io.SEEK_END)
    out.write(chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)))
    out.write(chunk(b"IDAT", zlib.compress(bytes(1 << 16))))
    out.write(chunk(b"IEND", b""))
    return out.getvalue()
