"""Makes sure that what came from outside can be shown at a known cost: pages and pictures have a largest size."""

from __future__ import annotations

import io
import threading

from django.utils.translation import gettext as _
from PIL import Image

from saas.core.errors import Invalid

# A3 at 600 dpi is 70 million pixels; in RGB this much is 240 MB while it is being looked at.
MOST_PIXELS = 80_000_000
_LONGEST = 100_000  # pixels of one side
# One at a time: many of the largest at once are more than a machine has.
_DECODING = threading.Lock()


def check_picture(content: bytes) -> None:
    """Refuse a picture that is too large or broken; the whole of it is decoded once.

    Raises:
        Invalid: more pixels than a sheet can have, or not readable to its end.
    """
    with _DECODING, _opened(content) as image:
        try:
            image.load()
        except (OSError, SyntaxError, ValueError, EOFError) as error:
            raise _broken() from error


def picture_png(content: bytes, *, width_px: int) -> bytes:
    """A scan that came as a picture, as a sheet of that width.

    Args:
        content: PNG or JPEG.
        width_px: width of the sheet in pixels; a smaller picture stays as it is.

    Raises:
        Invalid: more pixels than a sheet can have, or not readable to its end.
    """
    with _DECODING, _opened(content) as image:
        height = max(1, min(image.height * width_px // max(image.width, 1), 4 * width_px))
        try:
            image.draft("RGB", (width_px, height))
            image.thumbnail((width_px, height))
            out = io.BytesIO()
            image.convert("RGB").quantize(64).save(out, format="PNG")
        except (OSError, SyntaxError, ValueError, EOFError) as error:
            raise _broken() from error
    return out.getvalue()


def check_pixels(width: int, height: int) -> None:
    """Refuse a picture by its size alone.

    Raises:
        Invalid: more pixels than a sheet can have.
    """
    if width > _LONGEST or height > _LONGEST or width * height > MOST_PIXELS:
        message = _("图像为%(w)d×%(h)d像素，过大，请以不超过600 dpi扫描。")
        raise Invalid(message % {"w": width, "h": height}, code="scan.too_large")


def _opened(content: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(content), formats=("PNG", "JPEG"))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Invalid(_("图像过大，请以不超过600 dpi扫描。"), code="scan.too_large") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise _broken() from error
    check_pixels(image.width, image.height)
    return image


def _broken() -> Invalid:
    return Invalid(_("图像文件已损坏，不能打开，请重新扫描。"), code="scan.broken")
