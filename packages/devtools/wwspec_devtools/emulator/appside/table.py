"""The HTTP APIs of the app's side, by path under /cgi-bin/; `upload_media` is in `uploads`, since it takes a form."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from functools import wraps
from typing import Any

import msgspec

from wwspec_contracts.decoding import decode_json
from wwspec_contracts.errors import JsonError
from wwspec_devtools.emulator.answers import Answer, asked, needed
from wwspec_devtools.emulator.appside import calls, config, logins, permissions, scope, suites, tokens, uploads
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.world import World

Query = Mapping[str, str]
Function = Callable[[World, Query, bytes], Answer]
"""Answers a request: gets the state, the query and the body, and raises `RefusedError`."""


class AppApi(msgspec.Struct, frozen=True):
    """One API."""

    method: str
    name: str
    """Its name in the record and for faults."""
    answer: Function

    def recorded(self, query: Query, body: bytes) -> bytes:
        """Return the JSON that the record shows as the request."""
        if self.method == "POST":
            return body
        return msgspec.json.encode({name: value for name, value in query.items() if not name.endswith("access_token")})


def _rows(method: str, functions: Mapping[str, Function]) -> dict[str, AppApi]:
    return {path: AppApi(method, NAMED.get(path, path.rpartition("/")[2]), each) for path, each in functions.items()}


def _of_kind(path: str, function: Callable[..., Answer]) -> Function:
    """Return the function of an API that has no data permission, and gets the query and the body.

    One that names an app gets that of the access token; any other checks its token itself. The emulator's lock is held
    meanwhile.
    """
    has_app = "app" in function.__annotations__

    @wraps(function)
    def answer(world: World, query: Query, body: bytes) -> Answer:
        permissions.check_kind(world, path)
        app = [world.calling_app(query.get("access_token", ""))] if has_app else []
        with world.lock:
            return function(world, *app, query, body)

    return answer


def _of_app(path: str, function: Callable[..., Answer]) -> Function:
    """Return the function of an API that needs the access token of an app, and names the type of its request.

    The emulator's lock is held meanwhile, unless the API is one of `_WITHOUT_LOCK`.
    """
    kind: Any = function.__annotations__["request"]

    @wraps(function)
    def answer(world: World, query: Query, body: bytes) -> Answer:
        app = allowed(world, path, query.get("access_token", ""))
        request = asked(kind, body if needed(kind) else body or b"{}")
        with nullcontext() if function.__name__ in _WITHOUT_LOCK else world.lock:
            return function(world, app, request)

    return answer


def allowed(world: World, path: str, access_token: str) -> App:
    """Return the app that calls an API which it may call; it needs no lock.

    Raises:
        RefusedError: As `World.calling_app` and `permissions.check`.
    """
    app = world.calling_app(access_token)
    permissions.check(world, app, path)
    return app


def caller(world: World, query: Query, body: bytes) -> App | None:
    """Return the app that a request is of or about, for the record; None when it names none."""
    app = world.accounts.owner(query.get("access_token", ""))
    if app is not None:
        return app
    try:
        corpid = query.get("corpid") or decode_json(body, _OfCorp).auth_corpid
    except JsonError:
        return None
    return next((app for app in world.apps if app.corpid == corpid), None)


class _OfCorp(msgspec.Struct):
    auth_corpid: str = ""


NAMED = {
    "ticket/get": "ticket/get",
    "service/v2/get_permanent_code": "v2/get_permanent_code",
    "service/get_auth_info": "service/get_auth_info",
    "service/v2/get_auth_info": "v2/get_auth_info",
}
"""The names of those paths whose last part is no name, or another path has it, too."""

_WITHOUT_LOCK = ("sync_call_program", "async_program_task")
"""The APIs that take the emulator's lock themselves, since calls of the program take long."""

_READ: Mapping[str, Any] = tokens.APIS | suites.GET_APIS | logins.APIS
_OF_APPS: Mapping[str, Any] = calls.APIS | config.APIS | scope.APIS | logins.APP_APIS

APIS: Mapping[str, AppApi] = {
    **_rows("GET", {path: _of_kind(path, each) for path, each in _READ.items()}),
    **_rows("POST", {path: _of_kind(path, each) for path, each in suites.APIS.items()}),
    **_rows("POST", {path: _of_app(path, each) for path, each in _OF_APPS.items()}),
}

MODELLED = (*(f"{each.method} {path}" for path, each in APIS.items()), f"POST {uploads.API}")
"""Every API of the app's side that is modelled."""

NAMES = (*dict.fromkeys(each.name for each in APIS.values()), uploads.API.rpartition("/")[2])
"""The names of all of them, for faults."""
