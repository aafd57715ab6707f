"""The index of all public names: a line each, with the module to import it from."""

import re
from collections import defaultdict
from collections.abc import Iterator
from importlib import import_module

from scripts.reference import text
from scripts.reference.contracts import apis, enums
from scripts.reference.entries import loaded, members, ordered, place, summary
from scripts.reference.public import CONTROLS, METHODS, MODULES, NAMES, TESTS
from scripts.reference.text import Say, documents, first_paragraph, linked, table
from wwspec_contracts.errors import WWSpecError

__all__ = ["PAGE", "page"]

PAGE = "reference/names.md"

_SMALL = 12
"""Names of a module that shares its table with other modules of its package."""


def page(say: Say, *, built: bool = False) -> str:
    """Return the page.

    Args:
        say: Chooses the language.
        built: Names lead to the pages that only the site has.
    """
    return "\n".join(_parts(say, _Links(built)))


class _Links:
    """Leads names to their pages, where these are."""

    def __init__(self, built: bool) -> None:
        self._built = built

    def __call__(self, name: str, page: str) -> str:
        return f"[`{name}`](api/{page})" if self._built else f"`{name}`"


def _parts(say: Say, link: _Links) -> Iterator[str]:
    yield say.head(
        say("Names", "名称索引"),
        say(
            "Every public name; the heading is the module to import it from. Signatures, arguments and members are in "
            "the "
            "docstrings, such as `help(ZoneClient)`, and on pages of the site that `scripts/docs` builds. Also: "
            "[errors](errors.md), [events](events.md), [verbs](verbs.md).",
            "全部公开名称，标题就是导入时的模块。签名、参数和成员见文档字符串（如 `help(ZoneClient)`），"
            "以及 `scripts/docs` 生成的网站。另见[异常](errors.md)、[事件](events.md)、[子命令](verbs.md)。",
        ),
    )
    heads = say("name", "名称"), say("what it is", "含义")
    small = [module for module in NAMES if len(_shown(module)) < _SMALL and module not in {**TESTS, **CONTROLS}]
    for module in NAMES:
        rows = list(_rows(module, say, link))
        if module in small or not rows:
            continue
        yield f"## `{module}`\n\n{say(*MODULES[module])}\n\n{table(heads, rows)}"
        if module == "wwspec_client":
            yield from _methods(say, link)
        if module == "wwspec_client.models":
            yield from _further(small, say, link)
            yield from _contracts(say, link)


def _shown(module: str) -> list[str]:
    """Return the names of a module in their order, but errors: they have a page of their own."""
    values = {name: getattr(import_module(module), name) for name in NAMES[module]}
    return [
        name
        for name in ordered(values)
        if not (isinstance(values[name], type) and issubclass(values[name], WWSpecError))
    ]


def _rows(module: str, say: Say, link: _Links) -> Iterator[tuple[str, str]]:
    shown = {name: link(name, f"{module}/{place(module, name)}") for name in _shown(module)}
    for name in shown:
        if name.startswith("Async"):
            continue  # beside the one for threads
        both = [shown[each] for each in (name, f"Async{name}") if each in shown]
        yield ", ".join(both), _sentence(summary(module, name), say)
        if module in TESTS or module in CONTROLS:
            for member in members(loaded(f"{module}.{name}")):
                if member.is_function:
                    where = f"{module}/{place(module, name)}#{f'{name}-{member.name}'.lower()}"
                    meaning = _sentence(first_paragraph(member.docstring.value), say)
                    yield link(f"{name}.{member.name}", where), meaning


def _sentence(english: str, say: Say) -> str:
    return linked(say.of_code(english))


def _methods(say: Say, link: _Links) -> Iterator[str]:
    yield say("## Methods of both clients\n", "## 两个客户端共有的方法 {#methods-of-both-clients}\n")
    yield say(
        "For APIs of WeCom: methods of `ZoneClient`, coroutines of `AsyncZoneClient`.\n",
        "对应企业微信接口：在 `ZoneClient` 上是普通方法，在 `AsyncZoneClient` 上是协程。\n",
    )
    heads = say("method", "方法"), say("API", "接口"), say("what it does", "作用")
    rows = [
        (
            link(function.__name__, f"wwspec_client/methods.md#{function.__name__}"),
            f"`{path}`",
            _sentence(first_paragraph(function.__doc__), say),
        )
        for path, function in METHODS
    ]
    yield table(heads, rows)


def _further(modules: list[str], say: Say, link: _Links) -> Iterator[str]:
    yield say(
        "## Other modules of program and client\n", "## 程序和客户端的其他模块 {#other-modules-of-program-and-client}\n"
    )
    rows = []
    for module in modules:
        for number, (name, meaning) in enumerate(_rows(module, say, link)):
            anchor = f'<a id="{anchor_of(module)}"></a>' if number == 0 else ""
            rows.append((f"{anchor}`{module}`", name, meaning))
    yield table((say("module", "模块"), say("name", "名称"), say("what it is", "含义")), rows)


def anchor_of(module: str) -> str:
    """Return the anchor that a heading with the name of a module has."""
    return re.sub(r"[^\w-]", "", module)


def _contracts(say: Say, link: _Links) -> Iterator[str]:
    modules = apis()
    yield "## `wwspec_contracts`\n"
    yield say(
        f"The contracts of WeCom's {len(modules)} SDK APIs: `from wwspec_contracts import sync_msg`, with "
        "`sync_msg.Request` "
        "and `sync_msg.Response`. How to change one: [contracts](../program/contracts.md).\n",
        f"企业微信 {len(modules)} 个 SDK 接口的协议：`from wwspec_contracts import sync_msg`，其中有 "
        "`sync_msg.Request` 和 "
        "`sync_msg.Response`。与企业微信不一致时如何修改，见[协议](../program/contracts.md)。\n",
    )
    rows = []
    for name, module in modules.items():
        said = text.summary(module.__doc__ or "")
        rows.append(
            (link(name, f"wwspec_contracts/{name}.md"), say(said.english, said.chinese), documents(said.documents))
        )
    yield table((say("API", "接口"), say("what it does", "作用"), say("documents", "文档")), rows)
    shared: dict[str, list[str]] = defaultdict(list)
    for name, each in sorted(enums().items()):
        if not each.__module__.startswith(("wwspec_contracts.api.", "wwspec_contracts.events.")):
            shared[each.__module__].append(link(name, f"wwspec_contracts/values.md#{name.lower()}"))
    modules_of_enums = [f"`{module}` ({', '.join(named)})" for module, named in sorted(shared.items())]
    yield say(
        f"Enums that several of them have are in {', '.join(modules_of_enums)}; those of one are in its module, such "
        "as "
        "`sync_msg.SyncMode`.\n",
        f"多个接口共用的枚举在 {'、'.join(modules_of_enums)}；单个接口的枚举在该接口的模块中，如 `sync_msg.SyncMode`。"
        "\n",
    )
