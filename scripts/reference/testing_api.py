"""What tests import from `wwspec_devtools.testing`."""

from scripts.reference.entries import entries
from scripts.reference.text import Say

__all__ = ["NAMES", "PAGE", "page"]

PAGE = "reference/testing-api.md"

NAMES = {"wwspec_devtools.testing.zone": ["Zone", "ZoneTimeoutError"]}
"""What is promised to users' tests, by module."""


def page(say: Say) -> str:
    """Return the page."""
    introduction = say(
        "What tests import, of the package `wwspec-devtools`. The fixture `zone` needs its extra `testing`; it is a "
        "`Zone` of the application in the current folder. How to use it: [test a program](../program/testing.md).",
        "测试代码导入的名称，由包 `wwspec-devtools` 提供。fixture `zone` 需要它的可选依赖 `testing`，"
        "就是当前目录下应用的 `Zone`。"
        "用法见[测试程序](../program/testing.md)。",
    )
    listed = "\n".join(entries(module, names, say) for module, names in NAMES.items())
    return say.head(say("API for tests", "测试 API"), introduction) + "\n" + listed
