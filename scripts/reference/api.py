"""The names that an application imports from `wwspec_router`."""

import wwspec_router.asgi
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
                    "`wwspec_contracts`: [SDK APIs](contracts.md), [events](events.md). The last entry, of "
                    "`wwspec_router.asgi`, is for "
                    "[other ASGI servers](../operation/limits.md#behind-another-asgi-server).",
                    "应用代码从 `wwspec_router` 导入的全部名称。企业微信自己的协议类型在 `wwspec_contracts` 里，见 "
                    "[SDK 接口](contracts.md)和[事件](events.md)。最后一项属于 `wwspec_router.asgi`，用于"
                    "[其他 ASGI 服务器](../operation/limits.md#behind-another-asgi-server)。",
                ),
            ),
            overview("wwspec_router", wwspec_router.__all__, say),
            entries("wwspec_router", wwspec_router.__all__, say),
            entries("wwspec_router.asgi", wwspec_router.asgi.__all__, say),
        ]
    )
