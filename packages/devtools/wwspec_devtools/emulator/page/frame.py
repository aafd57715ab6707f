"""What the frame asks for: first to be opened for a page of an app, then messages and names.

`@wecom/jssdk` shows what a page sends to the frame. How the frame fetches its data from WeCom is not known: these
requests are the emulator's own.
"""

import logging
from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

import msgspec

from wwspec_devtools.emulator.answers import Answer, RefusedError, accepted, read
from wwspec_devtools.emulator.page.content import AskedMessage, AskedName, shown_message, shown_name
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.page_tickets import Signature
from wwspec_devtools.emulator.state.world import World

LOGIN_ENDED = 42006
"""The login has ended before the frame is opened [100076]."""
NO_LOGIN = "Missing open sid"
"""What the component says when the browser has no login, for example since it dropped the cookie [100076]."""
_SYSTEM = -1

_log = logging.getLogger("uvicorn.error")


class Opening(msgspec.Struct, frozen=True):
    """The page that opens a frame, and what it has signed."""

    origin: str = ""
    """Of the page, as the browser says it."""
    url: str = ""
    """Of the page, as it has signed it."""
    params: Signature = Signature()
    """Of `agentConfig`."""


class Asked(msgspec.Struct, frozen=True):
    """What the elements of a frame show."""

    frame: str = ""
    """The token of the frame."""
    messages: list[AskedMessage] = []
    names: list[AskedName] = []


def open_frame(world: World, sid: str, body: bytes) -> Answer:
    """Return a token for a frame, once the login and the signature of its page are right.

    Args:
        world: The state.
        sid: The cookie of the login; empty without one.
        body: The JSON of an `Opening`.
    """

    def open_it() -> Answer:
        opening = read(Opening, body)
        if not sid:
            return {"errcode": _SYSTEM, "errmsg": NO_LOGIN}
        with world.lock:
            app = _check_opening(world, sid, opening)
            return accepted(frame=world.page_logins.open_frame(app, sid))

    answer = world.answered(open_it)
    if answer["errcode"]:
        _log.warning("WeCom refused the page of an app: errcode %d: %s", answer["errcode"], answer["errmsg"])
    return answer


def _check_opening(world: World, sid: str, opening: Opening) -> App:
    now, given = world.clock.now(), opening.params
    login = world.page_logins.member(sid, now)
    if login is None:
        raise RefusedError(LOGIN_ENDED, "the login has ended: the member logs in again")
    if given.corpid != login.corpid:
        raise RefusedError(92002, "corpid is not that of the member who is logged in")
    parts = urlsplit(opening.url)
    domain, trusted = parts.netloc.rpartition("@")[2].lower(), world.settings.trusted_domain
    if f"{parts.scheme}://{parts.netloc}" != opening.origin or (trusted and domain != trusted):
        raise RefusedError(85005, f"the page is of {opening.origin}, and {trusted or domain} is the trusted domain")
    if not given.agentid.isdecimal():
        raise RefusedError(40056, "agentid")
    app = world.accounts.find(given.corpid, int(given.agentid))
    if app is None:
        raise RefusedError(40056, "agentid is not that of an app of the corp")
    world.page_tickets.check_agent_config(app, given, opening.url, now)
    return app


def show(world: World, sid: str, body: bytes) -> Answer:
    """Return what the elements of a frame show, each with its own errcode.

    Args:
        world: The state.
        sid: The cookie of the login.
        body: The JSON of an `Asked`.
    """

    def answer() -> Answer:
        asked = read(Asked, body)
        if not sid:
            return {"errcode": _SYSTEM, "errmsg": NO_LOGIN}
        with world.lock:
            app, login = world.page_logins.check_frame(asked.frame, sid, world.clock.now())
            messages = [_each(world, partial(shown_message, world, app, login, each)) for each in asked.messages]
            names = [_each(world, partial(shown_name, world, app, each)) for each in asked.names]
        return accepted(messages=messages, names=names)

    return world.answered(answer)


def _each(world: World, show_it: Callable[[], Answer]) -> Answer:
    """Return the answer of one element, or its refusal."""
    try:
        return show_it()
    except RefusedError as error:
        return error.answer(world.reference())
