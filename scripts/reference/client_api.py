"""The names of `wwspec_client`, and the APIs of WeCom that its two clients have as methods."""

import re
from copy import copy

import griffe

import wwspec_client as client
from scripts.reference.entries import entries, function_entry, loaded, overview
from scripts.reference.text import Say, documents, first_paragraph, table
from wwspec_client import archive, sql, telemetry
from wwspec_client.endpoints import ENDPOINTS, ensure_public_key

__all__ = ["PAGE", "page"]

PAGE = "reference/client-api.md"


def page(say: Say) -> str:
    """Return the page."""
    rows = []
    methods = [*ENDPOINTS.items(), ("chatdata/set_public_key", ensure_public_key)]
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
                    "All names of `wwspec_client`, of the package `wwspec-client`. How to use them: "
                    "[the client](../how-to/client.md), [notifications](../how-to/notifications.md).",
                    "`wwspec_client` 的全部名称，由包 `wwspec-client` 提供。"
                    "用法见[调用能力](../how-to/client.md)和"
                    "[接收通知](../how-to/notifications.md)。",
                ),
            ),
            f"## {title}\n",
            say(
                "`ZoneClient` has each of them as a method, and `AsyncZoneClient` as a coroutine.",
                "下列接口在 `ZoneClient` 上是普通方法，在 `AsyncZoneClient` 上是协程。",
            )
            + "\n",
            table(heads, rows),
            *(_endpoint(function.__name__, say) for _, function in methods),
            f"## {say('Names', '名称 {#names}')}\n",
            overview("wwspec_client", client.__all__, say),
            entries("wwspec_client", client.__all__, say, level=3),
            f"## {say('Stores in SQL', 'SQL 存储 {#stores-in-sql}')}\n",
            say(
                "The names of `wwspec_client.sql`; it needs the extra `sql`. How to use them: "
                "[the app's database](../how-to/databases.md).",
                "`wwspec_client.sql` 的名称，使用前要安装可选依赖 `sql`。"
                "用法见[应用的数据库](../how-to/databases.md)。",
            )
            + "\n",
            overview("wwspec_client.sql", sql.__all__, say),
            entries("wwspec_client.sql", sql.__all__, say, level=3),
            f"## {say('Archive', '归档 {#archive}')}\n",
            say(
                "The names of `wwspec_client.archive`; it needs the extra `sql`. How to use them: "
                "[archive the messages of many corps](../how-to/archiver.md).",
                "`wwspec_client.archive` 的名称，使用前要安装可选依赖 `sql`。"
                "用法见[归档多家企业的消息](../how-to/archiver.md)。",
            )
            + "\n",
            overview("wwspec_client.archive", archive.__all__, say),
            entries("wwspec_client.archive", archive.__all__, say, level=3),
            f"## {say('OpenTelemetry', 'OpenTelemetry {#opentelemetry}')}\n",
            say(
                "The names of `wwspec_client.telemetry`; it needs the extra `telemetry`. How to use them: "
                "[trace and measure](../how-to/telemetry.md).",
                "`wwspec_client.telemetry` 的名称，使用前要安装可选依赖 `telemetry`。"
                "用法见[跟踪和度量](../how-to/telemetry.md)。",
            )
            + "\n",
            entries("wwspec_client.telemetry", telemetry.__all__, say, level=3),
        ]
    )


def _endpoint(name: str, say: Say) -> str:
    """Return the entry of an endpoint as a method: without the core, and with what its steps return."""
    function = copy(loaded(f"wwspec_client.endpoints.{name}"))
    function.parameters = griffe.Parameters(*list(function.parameters)[1:])
    function.returns = function.returns.slice
    return function_entry(function, say, 3)
