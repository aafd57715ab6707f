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
        "What tests import; it needs the extra `testing`. The fixture `zone` is a `Zone` of the application in the "
        "current "
        "folder. How to use it: [test a program](../how-to/testing.md).",
        "测试代码导入的名称，使用前要安装可选依赖 `testing`。fixture `zone` 就是当前目录下应用的 `Zone`。"
        "用法见[测试程序](../how-to/testing.md)。",
    )
    listed = "\n".join(entries(module, names, say) for module, names in NAMES.items())
    return say.head(say("API for tests", "测试 API"), introduction) + "\n" + listed
