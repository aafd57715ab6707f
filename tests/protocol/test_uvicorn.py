"""What `wwspec_router/protocol` relies on inside uvicorn, which promises none of it.

When a test fails here, uvicorn has changed: compare `uvicorn/protocols/http/` with the version before, adapt
`wwspec_router/protocol`, then these lists, and raise the bound in pyproject.toml.
"""

import ast
import asyncio
import inspect
import textwrap
import tomllib
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from wwspec_router.protocol.lean import LeanConnection, _LeanCycle
from wwspec_router.protocol.pipeline import PipelinedProtocol, _Flow

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
ADVICE = "wwspec_router/protocol builds on it: compare uvicorn/protocols/http/ with the version before and adapt"

OVERRIDDEN = {
    "__init__": "(self, config, server_state, app_state, _loop)",
    "connection_made": "(self, transport)",
    "connection_lost": "(self, exc)",
    "eof_received": "(self)",
    "data_received": "(self, data)",
    "on_message_begin": "(self)",
    "on_headers_complete": "(self)",
    "on_body": "(self, body)",
    "on_message_complete": "(self)",
    "on_response_complete": "(self)",
    "send_400_response": "(self, msg)",
    "pause_writing": "(self)",
    "resume_writing": "(self)",
    "shutdown": "(self)",
    "timeout_keep_alive_handler": "(self)",
}
"""Methods of uvicorn's protocol class that ours override."""

INHERITED = {
    "on_url": "(self, url)",
    "on_header": "(self, name, value)",
    "handle_websocket_upgrade": "(self)",
    "_get_upgrade": "(self)",
    "_should_upgrade": "(self)",
    "_should_upgrade_to_ws": "(self)",
    "_start_asgi_task": "(self, cycle, app)",
    "_unset_keepalive_if_required": "(self)",
    "_unsupported_upgrade_warning": "(self)",
}
"""Its other methods: ours let them run, or never come to them."""

ATTRIBUTES = {
    "access_log",
    "access_logger",
    "app",
    "app_state",
    "asgi_version",
    "client",
    "config",
    "connections",
    "cycle",
    "expect_100_continue",
    "flow",
    "headers",
    "limit_concurrency",
    "logger",
    "loop",
    "parser",
    "pipeline",
    "root_path",
    "scheme",
    "scope",
    "server",
    "server_state",
    "tasks",
    "timeout_keep_alive",
    "timeout_keep_alive_task",
    "transport",
    "ws_protocol_class",
}
"""What its `__init__` sets."""

OF_CYCLE = {"body", "disconnected", "keep_alive", "message_event", "more_body", "response_complete"}
"""What it uses of the request that it works on."""
OF_CYCLE_AFTER_HEAD = {"body", "more_body"}
"""Those of them that only `on_body` and `on_message_complete` use, which a call on the short way never comes to."""

FLOW = {
    "__init__": "(self, transport)",
    "drain": "(self)",
    "pause_reading": "(self)",
    "resume_reading": "(self)",
    "pause_writing": "(self)",
    "resume_writing": "(self)",
}


def signatures(owner: type) -> dict[str, str]:
    """The methods that a class has of its own, each with the names of its parameters."""
    own = {name: value for name, value in vars(owner).items() if inspect.isfunction(value)}
    return {name: f"({', '.join(inspect.signature(value).parameters)})" for name, value in own.items()}


def nodes(function: Callable[..., object] | type) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function))))


def test_the_pinned_uvicorn_is_the_newest_that_the_project_takes() -> None:
    project = tomllib.loads(PYPROJECT.read_text())["project"]
    (bound,) = [each for each in map(Requirement, project["dependencies"]) if each.name == "uvicorn"]
    major, minor, *_ = map(int, version("uvicorn").split("."))
    assert version("uvicorn") in bound.specifier
    assert f"{major}.{minor + 1}.0" not in bound.specifier, "nobody has tried this version: bound uvicorn below it"


def test_uvicorn_has_the_methods_that_the_protocol_classes_build_on() -> None:
    assert signatures(HttpToolsProtocol) == OVERRIDDEN | INHERITED, ADVICE


def test_every_method_listed_as_overridden_is() -> None:
    ours = {name for each in LeanConnection.__mro__[:-1] if issubclass(each, PipelinedProtocol) for name in vars(each)}
    assert ours.issuperset(OVERRIDDEN)
    assert ours.isdisjoint(INHERITED), "this method of uvicorn is overridden: list it so"


def test_uvicorn_s_protocol_class_has_the_attributes_that_ours_use() -> None:
    assigned = {
        node.attr
        for node in nodes(HttpToolsProtocol.__init__)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    assert assigned == ATTRIBUTES, ADVICE


def test_a_call_on_the_short_way_has_all_that_uvicorn_asks_of_a_request() -> None:
    asked = {
        node.attr
        for node in nodes(HttpToolsProtocol)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Attribute)
        and (node.value.attr, ast.unparse(node.value.value)) == ("cycle", "self")
    }
    assert asked == OF_CYCLE, ADVICE
    cycle = _LeanCycle(lambda *_: pytest.fail("nothing is called"), [], True, asyncio.Transport())
    missing = [name for name in OF_CYCLE - OF_CYCLE_AFTER_HEAD if not hasattr(cycle, name)]
    assert missing == []


def test_uvicorn_asks_for_the_rest_of_it_only_where_a_call_on_the_short_way_never_comes() -> None:
    for name in set(OVERRIDDEN | INHERITED) - {"on_body", "on_message_complete"}:
        words = {node.attr for node in nodes(getattr(HttpToolsProtocol, name)) if isinstance(node, ast.Attribute)}
        assert words.isdisjoint(OF_CYCLE_AFTER_HEAD), f"{ADVICE}: HttpToolsProtocol.{name}"


def test_uvicorn_begins_a_request_as_the_protocol_classes_expect() -> None:
    parameters = list(inspect.signature(RequestResponseCycle.__init__).parameters)
    assert parameters == [
        "self",
        "scope",
        "transport",
        "flow",
        "logger",
        "access_logger",
        "access_log",
        "default_headers",
        "message_event",
        "expect_100_continue",
        "keep_alive",
        "on_response",
    ], ADVICE


def test_uvicorn_s_flow_control_is_the_one_that_ours_derives_from() -> None:
    assert signatures(FlowControl) == FLOW, ADVICE
    flow = _Flow(asyncio.Transport())
    assert {"read_paused", "write_paused"} <= vars(flow).keys(), ADVICE


def test_uvicorn_has_a_status_line_for_each_plain_answer() -> None:
    for status in (200, 400, 405, 408, 413, 500, 503):
        assert STATUS_LINE[status].startswith(b"HTTP/1.1 %d " % status), ADVICE
