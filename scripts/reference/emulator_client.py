"""The controls of the emulator: `EmulatorClient`, which tests have as `zone.client`."""

from scripts.reference.entries import entries
from scripts.reference.text import Say

__all__ = ["NAMES", "PAGE", "page"]

PAGE = "reference/emulator-client.md"

NAMES = {
    "wwspec_devtools.emulator.http.client": ["EmulatorClient", "EmulatorError"],
    "wwspec_devtools.emulator.http.controls": ["MachineControls"],
}
"""What controls an emulator, by module."""


def page(say: Say) -> str:
    """Return the page."""
    introduction = say(
        "What controls [the emulator](emulator.md) from Python, of the package `wwspec-devtools`. In a test it is "
        "`zone.client`. How to use it: [test a program](../program/testing.md).",
        "用 Python 控制[模拟器](emulator.md)，由包 `wwspec-devtools` 提供。在测试里它就是 `zone.client`。"
        "用法见[测试程序](../program/testing.md)。",
    )
    listed = "\n".join(entries(module, names, say) for module, names in NAMES.items())
    return say.head(say("Controls of the emulator", "模拟器控制 API"), introduction) + "\n" + listed
