"""How far the emulator's clock is moved, as it is written on a command line."""

import math
import re
from datetime import datetime

import click

NOW = "now"
"""Back to the real time."""
_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400, "w": 604800}
_LENGTH = re.compile(rf"(\d+(?:\.\d+)?)({'|'.join(_UNITS)})?")


class Move(click.ParamType[float | datetime | str]):
    """Seconds, a number with a unit, a date (of this machine's time zone when it names none), or `now`."""

    name = "TIME"

    def convert(
        self, value: str | float | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | datetime | str:
        """Return seconds, the date with its time zone, or `NOW`."""
        if not isinstance(value, str) or value == NOW:
            return value
        length = _LENGTH.fullmatch(value)
        if length is not None and math.isfinite(seconds := float(length[1]) * _UNITS[length[2] or "s"]):
            return seconds
        try:
            return datetime.fromisoformat(value).astimezone()
        except (ValueError, OverflowError, OSError):
            self.fail(
                f"{value!r} is no time. Write seconds (600), a number with its unit s, min, h, d or w (7d), "
                "a date (2026-12-05 or 2026-12-05T09:00), or `now` to go back to the real time",
                param,
                ctx,
            )
