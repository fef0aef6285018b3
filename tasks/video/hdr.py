"""What a film says about the screen that it was graded on and the light in it (SMPTE ST 2086, CTA-861.3), for encoders to write again."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from fractions import Fraction

from tasks.method import Settings

_RATIONALS = struct.Struct("<20i2i")  # FFmpeg's AVMasteringDisplayMetadata: three primaries, white, darkest, brightest; what is there


class MasteringDisplay(Settings):
    """The screen: CIE xy of its primaries and its white, and its darkest and brightest light in candela per square metre."""

    red: tuple[Fraction, Fraction]
    green: tuple[Fraction, Fraction]
    blue: tuple[Fraction, Fraction]
    white: tuple[Fraction, Fraction]
    darkest: Fraction
    brightest: Fraction

    def as_integers(self) -> str:
        """As x264 and x265 take it: in 50,000ths, and in 10,000ths of a candela.

        >>> half = (Fraction(1, 2), Fraction(1, 2))
        >>> MasteringDisplay(red=half, green=half, blue=half, white=half, darkest=Fraction(1, 200), brightest=Fraction(1000)).as_integers()
        'G(25000,25000)B(25000,25000)R(25000,25000)WP(25000,25000)L(10000000,50)'
        """
        places = [f"{name}({round(x * 50000)},{round(y * 50000)})" for name, (x, y) in self._places()]
        return "".join(places) + f"L({round(self.brightest * 10000)},{round(self.darkest * 10000)})"

    def as_decimals(self) -> str:
        """As SVT-AV1 takes it."""
        places = [f"{name}({float(x):.5f},{float(y):.5f})" for name, (x, y) in self._places()]
        return "".join(places) + f"L({float(self.brightest):.4f},{float(self.darkest):.4f})"

    def _places(self) -> list[tuple[str, tuple[Fraction, Fraction]]]:
        return [("G", self.green), ("B", self.blue), ("R", self.red), ("WP", self.white)]


class ContentLight(Settings):
    """The brightest pixel and the brightest frame's mean, in candela per square metre."""

    brightest_pixel: int
    brightest_frame: int

    def __str__(self) -> str:
        return f"{self.brightest_pixel},{self.brightest_frame}"


def mastering_display_of(side_data: Mapping[str, bytes]) -> MasteringDisplay | None:
    """What FFmpeg's side data of a frame say of the screen, None where they say nothing or not all of it."""
    content = side_data.get("MASTERING_DISPLAY_METADATA")
    if content is None or len(content) < _RATIONALS.size:
        return None
    *numbers, has_primaries, has_luminance = _RATIONALS.unpack_from(content)
    parts = [Fraction(a, b) if b else None for a, b in zip(numbers[::2], numbers[1::2], strict=True)]
    if not (has_primaries and has_luminance) or None in parts:
        return None
    x = [part for part in parts if part is not None]
    return MasteringDisplay(red=(x[0], x[1]), green=(x[2], x[3]), blue=(x[4], x[5]), white=(x[6], x[7]), darkest=x[8], brightest=x[9])


def content_light_of(side_data: Mapping[str, bytes]) -> ContentLight | None:
    """What FFmpeg's side data of a frame say of the light, None where they say nothing."""
    content = side_data.get("CONTENT_LIGHT_LEVEL")
    if content is None or len(content) < 8:
        return None
    brightest_pixel, brightest_frame = struct.unpack_from("<2I", content)
    return ContentLight(brightest_pixel=brightest_pixel, brightest_frame=brightest_frame)
