"""The option `--open`: the emulator's console in the browser."""

import os
import sys
from threading import Thread

import click

open_option = click.option("--open", "opens", is_flag=True, help="Open the console in the browser, if there is one.")


def open_in_browser(url: str) -> None:
    """Open a page in the user's browser and print nothing. Do nothing without a browser.

    Browsers that run in a terminal are not used: they would occupy this one.
    """
    if sys.platform.startswith("linux") and not any(
        os.environ.get(name) for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY")
    ):
        return
    import webbrowser

    Thread(target=webbrowser.open, args=(url,), daemon=True).start()  # some commands run as long as the browser
