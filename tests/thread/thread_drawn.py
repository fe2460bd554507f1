"""Drawn faces: nobody's, the same person several times."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SIDE = 120
_BACK = (150, 150, 160)


def drawn(person: int, picture: int) -> bytes:
    """A PNG of a person: head, hair, eyes, nose and mouth are hers, pose and light are not."""
    hers = np.random.default_rng([person, 7])
    skin = tuple(int(each) for each in hers.integers((140, 90, 60), (240, 190, 160)))
    hair = tuple(int(each) for each in hers.integers(0, 150, 3))
    width, height = hers.integers(30, 42), hers.integers(40, 52)
    apart, eye, mouth, nose, fringe = hers.integers((10, 3, 7, 6, 8), (18, 8, 20, 14, 26))
    rng = np.random.default_rng([person, picture, 8])
    x, y = (SIDE // 2 + rng.integers(-4, 5, 2)).tolist()
    image = Image.new("RGB", (SIDE, SIDE), _BACK)
    draw = ImageDraw.Draw(image)
    draw.ellipse([x - width - 5, y - height - 8, x + width + 5, y + height // 2], fill=hair)
    draw.ellipse([x - width, y - height, x + width, y + height], fill=skin)
    draw.rectangle([x - width, y - height, x + width, y - height + fringe], fill=hair)
    for side in (-1, 1):
        at = x + side * apart
        draw.ellipse([at - eye, y - 14 - eye // 2, at + eye, y - 14 + eye // 2], fill="white")
        draw.ellipse([at - 2, y - 16, at + 2, y - 12], fill=hair)
    draw.line([x, y - 6, x - 3, y + nose, x + 3, y + nose], fill=(90, 60, 50), width=2)
    draw.chord([x - mouth, y + 16, x + mouth, y + 28], 0, 180, fill=(160, 50, 60))
    lit = np.asarray(image, dtype=float) * rng.uniform(0.8, 1.15) + rng.normal(
        0, 4, (SIDE, SIDE, 3)
    )
    out = io.BytesIO()
    Image.fromarray(np.clip(lit, 0, 255).astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


def write_faces(folder: Path, persons: range, pictures: range) -> Path:
    """``folder/person-NN/N.png``."""
    for person in persons:
        (folder / f"person-{person:02}").mkdir(parents=True)
        for picture in pictures:
            path = folder / f"person-{person:02}" / f"{picture}.png"
            path.write_bytes(drawn(person, picture))
    return folder
