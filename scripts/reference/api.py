"""The names that an application imports from `wwspec_router`."""

import wwspec_router
from scripts.reference.entries import entries, overview
from scripts.reference.text import Say

__all__ = ["PAGE", "page"]

PAGE = "reference/api.md"


def page(say: Say) -> str:
    """Return the page."""
    return "\n".join(
        [
            say.head(
                say("API of programs", "程序 API"),
                say(
                    "All that an application imports from `wwspec_router`. WeCom's contracts are in "
                    "`wwspec_router.wecom`: [SDK APIs](contracts.md), [events](events.md).",
                    "应用代码从 `wwspec_router` 导入的全部名称。企业微信自己的协议类型在 `wwspec_router.wecom` 里，见 "
                    "[SDK 接口](contracts.md)和[事件](events.md)。",
                ),
            ),
            overview("wwspec_router", wwspec_router.__all__, say),
            entries("wwspec_router", wwspec_router.__all__, say),
        ]
    )
