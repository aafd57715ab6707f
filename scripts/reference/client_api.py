"""The names of `wwspec_client`, and the APIs of WeCom that its two clients have as methods."""

import re
from collections.abc import Callable, Iterator
from copy import copy
from importlib import import_module
from typing import Any

import griffe

from scripts.reference.entries import entries, function_entry, loaded, overview
from scripts.reference.text import Say, documents, first_paragraph, table
from wwspec_client import endpoints, webpage
from wwspec_client.steps import Steps

__all__ = ["ENDPOINTS", "NAMES", "PAGE", "page"]

PAGE = "reference/client-api.md"

_MODULES = {
    "stores": (
        ("Stores", "存储 {#stores}"),
        (
            "What an app can implement itself, and the stores in files and in memory.",
            "应用可以自行实现的接口，以及文件和内存中的存储。",
        ),
        ("stores of your own", "app/own-stores", "自己的存储"),
    ),
    "models": (
        ("Answers", "应答 {#answers}"),
        ("The shapes of answers.", "应答的数据结构。"),
        ("call a program", "app/client", "调用能力"),
    ),
    "viewer": (
        ("Messages on a page", "页面上的消息 {#messages-on-a-page}"),
        ("What `viewer_messages` returns.", "`viewer_messages` 的返回值。"),
        ("show messages", "app/viewer", "展示消息"),
    ),
    "hooks": (
        ("Hooks", "钩子 {#hooks}"),
        ("What a client calls around its requests.", "客户端在请求前后调用的函数。"),
        ("trace and measure", "operation/telemetry", "跟踪和度量"),
    ),
    "call_lines": (
        ("Log lines", "日志 {#log-lines}"),
        ("The hooks that log requests.", "把请求写入日志的钩子。"),
        ("trace and measure", "operation/telemetry", "跟踪和度量"),
    ),
    "raw_clients": (
        ("Responses", "响应 {#responses}"),
        ("What `with_raw_response` returns.", "`with_raw_response` 的返回值。"),
        ("call a program", "app/client", "调用能力"),
    ),
    "sql": (
        ("Stores in SQL", "SQL 存储 {#stores-in-sql}"),
        ("It needs the extra `sql`.", "使用前要安装可选依赖 `sql`。"),
        ("the app's database", "databases", "应用的数据库"),
    ),
    "archive": (
        ("Archive", "归档 {#archive}"),
        ("It needs the extra `sql`.", "使用前要安装可选依赖 `sql`。"),
        ("archive the messages of many corps", "archiver", "归档多家企业的消息"),
    ),
    "provider": (
        ("A provider's app", "服务商应用 {#a-providers-app}"),
        ("It needs the extra `sql`.", "使用前要安装可选依赖 `sql`。"),
        ("an app for many corps", "app/suite", "面向多家企业的应用"),
    ),
    "testing": (
        ("Tests without a zone", "不依赖专区的测试 {#tests-without-a-zone}"),
        ("An app's tests need nothing else.", "应用的测试不需要其他组件。"),
        ("call a program", "app/client", "调用能力"),
    ),
    "telemetry": (
        ("OpenTelemetry", "OpenTelemetry {#opentelemetry}"),
        ("It needs the extra `telemetry`.", "使用前要安装可选依赖 `telemetry`。"),
        ("trace and measure", "operation/telemetry", "跟踪和度量"),
    ),
}
"""The modules of the client with names of their own: title, what is there, and the page that shows its use."""

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


def public_names(module: str) -> list[str]:
    """Return the names of a module's `__all__`; of one that only passes names on, all of them."""
    names = vars(import_module(module))
    return names.get("__all__") or sorted(name for name in names if not name.startswith("_"))


NAMES: dict[str, list[str]] = {
    module: public_names(module) for module in ("wwspec_client", *(f"wwspec_client.{name}" for name in _MODULES))
}
"""What is promised to apps, by module."""


def page(say: Say) -> str:
    """Return the page."""
    rows = []
    methods = [*ENDPOINTS.items(), ("chatdata/set_public_key", endpoints.ensure_public_key)]
    for path, function in methods:
        text = first_paragraph(function.__doc__)
        ids = " ".join(re.findall(r"\[([\d, ]+)\]", text))
        meaning = re.sub(r" ?\[[\d, ]+\]", "", say.of_code(text))
        name = function.__name__
        rows.append((f"[`{name}`](#{name})", f"`{path}`", meaning, documents(ids)))
    heads = say("method", "方法"), say("API", "接口"), say("what it does", "作用"), say("document", "文档")
    title = say("Methods for the app's other APIs", "应用侧其他接口的方法 {#methods-for-the-apps-other-apis}")
    return "\n".join(
        [
            say.head(
                say("API of the app's client", "应用侧客户端 API"),
                say(
                    "The names of `wwspec_client`, of the package `wwspec-client`, and of its modules. "
                    "How to use them: [the client](../app/client.md), [notifications](../app/notifications.md).",
                    "包 `wwspec-client` 提供的 `wwspec_client` 及其各模块的名称。"
                    "用法见[调用能力](../app/client.md)和"
                    "[接收通知](../app/notifications.md)。",
                ),
            ),
            f"## {title}\n",
            say(
                "`ZoneClient` has each of them as a method, and `AsyncZoneClient` as a coroutine.",
                "下列接口在 `ZoneClient` 上是普通方法，在 `AsyncZoneClient` 上是协程。",
            )
            + "\n",
            table(heads, rows),
            *(_endpoint(function, say) for _, function in methods),
            f"## {say('Names', '名称 {#names}')}\n",
            overview("wwspec_client", NAMES["wwspec_client"], say),
            entries("wwspec_client", NAMES["wwspec_client"], say, level=3),
            *(part for module in _MODULES for part in _module(module, say)),
        ]
    )


def _module(name: str, say: Say) -> Iterator[str]:
    """Yield the section of a module."""
    title, what, (use, page, use_in_chinese) = _MODULES[name]
    module = f"wwspec_client.{name}"
    yield f"## {say(*title)}\n"
    yield say(
        f"The names of `{module}`. {what[0]} How to use them: [{use}](../{page}.md).\n",
        f"`{module}` 的名称。{what[1]}用法见[{use_in_chinese}](../{page}.md)。\n",
    )
    yield overview(module, NAMES[module], say)
    yield entries(module, NAMES[module], say, level=3)


def _endpoint(endpoint: Callable[..., Steps[Any]], say: Say) -> str:
    """Return the entry of an endpoint as a method: without the core, and with what its steps return."""
    function = copy(loaded(f"{endpoint.__module__}.{endpoint.__name__}"))
    function.parameters = griffe.Parameters(*list(function.parameters)[1:])
    function.returns = function.returns.slice
    return function_entry(function, say, 3)
