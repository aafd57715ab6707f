"""The public names by module, and the APIs of WeCom that the two clients have as methods."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

from wwspec_client import endpoints, webpage
from wwspec_client.steps import Steps

__all__ = ["CONTROLS", "ENDPOINTS", "METHODS", "MODULES", "NAMES", "TESTS", "Module", "public_names"]


class Module(NamedTuple):
    """What a module is for, in both languages, with a link to the page that shows its use."""

    english: str
    chinese: str


MODULES = {
    "wwspec_router": Module(
        "What a program imports: [handlers](../program/handlers.md).",
        "程序导入的名称，用法见[处理函数](../program/handlers.md)。",
    ),
    "wwspec_router.asgi": Module(
        "The application for [other ASGI servers](../operation/limits.md).",
        "用于[其他 ASGI 服务器](../operation/limits.md)的应用。",
    ),
    "wwspec_client": Module(
        "What an app imports: [the client](../app/client.md), [notifications](../app/notifications.md).",
        "应用导入的名称，用法见[调用能力](../app/client.md)和[接收通知](../app/notifications.md)。",
    ),
    "wwspec_client.stores": Module(
        "What an app can implement itself, and the stores in files and in memory: [stores](../app/databases.md).",
        "应用可以自行实现的接口，以及文件和内存中的存储，用法见[应用的存储](../app/databases.md)。",
    ),
    "wwspec_client.models": Module(
        "The shapes of answers: [the client](../app/client.md).", "应答的数据结构，见[调用能力](../app/client.md)。"
    ),
    "wwspec_client.viewer": Module(
        "What `viewer_messages` returns: [show messages](../app/viewer.md).",
        "`viewer_messages` 的返回值，用法见[展示消息](../app/viewer.md)。",
    ),
    "wwspec_client.hooks": Module(
        "What a client calls around its requests: [monitoring](../operation/monitoring.md).",
        "客户端在请求前后调用的函数，用法见[监控](../operation/monitoring.md)。",
    ),
    "wwspec_client.call_lines": Module(
        "The hooks that log requests: [monitoring](../operation/monitoring.md).",
        "把请求写入日志的钩子，用法见[监控](../operation/monitoring.md)。",
    ),
    "wwspec_client.raw_clients": Module(
        "What `with_raw_response` returns: [the client](../app/client.md).",
        "`with_raw_response` 的返回值，用法见[调用能力](../app/client.md)。",
    ),
    "wwspec_client.sql": Module(
        "The app's stores in SQL, of the extra `sql`: [stores](../app/databases.md).",
        "SQL 存储，需要可选依赖 `sql`，用法见[应用的存储](../app/databases.md)。",
    ),
    "wwspec_client.archive": Module(
        "Archives the messages of many corps, of the extra `sql`: [the archiver](../app/archiver.md).",
        "存档多个企业的消息，需要可选依赖 `sql`，用法见[存档消息](../app/archiver.md)。",
    ),
    "wwspec_client.provider": Module(
        "A provider's app for many corps as one class, of the extra `sql`: [suites](../app/suite.md).",
        "把服务商应用做成一个类，需要可选依赖 `sql`，用法见[应用套件](../app/suite.md)。",
    ),
    "wwspec_client.testing": Module(
        "A zone for an app's tests: [the client](../app/client.md).",
        "供应用测试使用的专区，用法见[调用能力](../app/client.md)。",
    ),
    "wwspec_client.telemetry": Module(
        "OpenTelemetry, of the extra `telemetry`: [monitoring](../operation/monitoring.md).",
        "OpenTelemetry，需要可选依赖 `telemetry`，用法见[监控](../operation/monitoring.md)。",
    ),
    "wwspec_devtools.testing.zone": Module(
        "What tests import: [test a program](../program/testing.md). The fixture `zone` is a `Zone` of the application "
        "in "
        "the current folder; it needs the extra `testing` of `wwspec-devtools`.",
        "测试导入的名称，用法见[测试程序](../program/testing.md)。fixture `zone` 就是当前目录下应用的 `Zone`，"
        "需要 `wwspec-devtools` 的可选依赖 `testing`。",
    ),
    "wwspec_devtools.emulator.http.client": Module(
        "Controls [the emulator](emulator.md); a test has an `EmulatorClient` as `zone.client`.",
        "控制[模拟器](emulator.md)；测试中的 `zone.client` 就是 `EmulatorClient`。",
    ),
    "wwspec_devtools.emulator.http.controls": Module(
        "Controls the machines of a program; a test has them as `zone.client.machines`.",
        "控制程序的各台机器；测试中用 `zone.client.machines`。",
    ),
}
"""Each module with public names, in the order of the index."""

ENDPOINTS: dict[str, Callable[..., Steps[Any]]] = {
    "chatdata/set_public_key": endpoints.set_public_key,
    "chatdata/get_auth_user_list": endpoints.get_auth_user_list,
    "chatdata/set_receive_callback": endpoints.set_receive_callback,
    "chatdata/set_hide_sensitiveinfo_config": endpoints.set_hide_sensitiveinfo_config,
    "chatdata/get_hide_sensitiveinfo_config": endpoints.get_hide_sensitiveinfo_config,
    "chatdata/set_log_level": endpoints.set_log_level,
    "chatdata/get_log_level": endpoints.get_log_level,
    "chatdata/upload_media": endpoints.upload_media,
    "chatdata/get_corp_auth_info": endpoints.get_corp_auth_info,
    "chatdata/open_debug_mode": endpoints.open_debug_mode,
    "chatdata/close_debug_mode": endpoints.close_debug_mode,
    "chatdata/check_debug_mode": endpoints.check_debug_mode,
    "docdata/get_auth_user_list": endpoints.get_doc_auth_user_list,
    "docdata/get_auth_info": endpoints.get_doc_auth_info,
    "get_jsapi_ticket": webpage.page_config,
    "auth/getuserinfo": webpage.user_info,
}
"""Maps a path under /cgi-bin/ to the function that calls it.

`page_config` also calls `ticket/get`, and `user_info` of a third-party app its own API.
"""

METHODS = (*ENDPOINTS.items(), ("chatdata/set_public_key", endpoints.ensure_public_key))
"""What both clients have as methods for APIs of WeCom, by its path."""

TESTS = {"wwspec_devtools.testing.zone": ["Zone", "ZoneTimeoutError"]}
"""What is promised to users' tests, by module."""

CONTROLS = {
    "wwspec_devtools.emulator.http.client": ["EmulatorClient", "EmulatorError"],
    "wwspec_devtools.emulator.http.controls": ["MachineControls"],
}
"""What controls an emulator, by module."""


def public_names(module: str) -> list[str]:
    """Return the names of a module's `__all__`; of one that only passes names on, all of them."""
    names = vars(import_module(module))
    return names.get("__all__") or sorted(name for name in names if not name.startswith("_"))


NAMES: dict[str, list[str]] = {
    module: TESTS.get(module) or CONTROLS.get(module) or public_names(module) for module in MODULES
}
"""Every public name, by the module from which it is imported."""
