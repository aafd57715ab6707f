"""What a run tells while it is under way, on standard error."""

import time

import click

__all__ = ["say"]

_BEGAN = time.monotonic()


def say(text: str) -> None:
    """Print one line with the time since the start."""
    click.echo(f"{time.monotonic() - _BEGAN:7.1f} s  {text}", err=True)
