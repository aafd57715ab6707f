"""The HTTP APIs of the app's side, by path under /cgi-bin/; `upload_media` is in `uploads`, since it takes a form."""

from collections.abc import Callable, Mapping
from functools import wraps

import msgspec

from wwspec_router.emulator.answers import Answer
from wwspec_router.emulator.appside import calls, config, logins, page_tickets, scope, suites, tokens, uploads
from wwspec_router.emulator.state.accounts import App
from wwspec_router.emulator.state.world import World

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
    return {path: AppApi(method, path.rpartition("/")[2], function) for path, function in functions.items()}


def _of_app(function: Callable[[World, App, bytes], Answer]) -> Function:
    """Return the function of an API that needs the access token of an app."""

    @wraps(function)
    def answer(world: World, query: Query, body: bytes) -> Answer:
        return function(world, world.calling_app(query.get("access_token", "")), body)

    return answer


_OF_APPS = calls.APIS | config.APIS | scope.APIS | logins.APP_APIS

APIS: Mapping[str, AppApi] = {
    **_rows("GET", tokens.APIS | logins.APIS),
    **{path: AppApi("GET", path, function) for path, function in page_tickets.APIS.items()},
    **_rows("POST", suites.APIS),
    **_rows("POST", {path: _of_app(each) for path, each in _OF_APPS.items()}),
}

MODELLED = (*(f"{each.method} {path}" for path, each in APIS.items()), f"POST {uploads.API}")
"""Every API of the app's side that is modelled."""

NAMES = (*dict.fromkeys(each.name for each in APIS.values()), uploads.API.rpartition("/")[2])
"""The names of all of them, for faults."""
