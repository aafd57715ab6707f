"""What the app's own web page needs: signatures for WeCom's JavaScript, and who has opened the page."""

import hashlib
import secrets
import time

from wwspec_client.core import Core
from wwspec_client.errors import PlatformError
from wwspec_client.models import PageConfig, PageSignature, UserInfo, read_answer
from wwspec_client.page_tickets import TicketKind
from wwspec_client.steps import Request, Steps
from wwspec_contracts.errors import ConfigurationError
from wwspec_contracts.support.printable import printable


def page_config(core: Core, url: str, *, agentid: int, corpid: str = "") -> Steps[PageConfig]:
    """Return the signatures of a page and what else `ww.register` needs [90506].

    The tickets that sign are fetched once in their two hours: WeCom allows 400 an hour for a corp, and 100 for an app.

    Args:
        url: The page's address in the browser; what follows `#` is not signed.
        agentid: The app; for a third-party app that of the corp that has installed it.
        corpid: Another corp than that of the client's `corpid` or `SuiteApp`.

    Raises:
        ConfigurationError: The address is not one of a page, or no corp is known.
        ZoneClientError: WeCom refuses the request, or can't be reached.
    """
    page = url.partition("#")[0]
    if not page.startswith(("http://", "https://")):
        raise ConfigurationError(f"the url of a page begins with https:// or http://, not {url!r}")
    if not (corpid or core.corpid):
        raise ConfigurationError("corpid is missing: the client does not know the corp of its access tokens")
    return PageConfig(
        url=page,
        corp_id=corpid or core.corpid,
        agent_id=agentid,
        config=(yield from _sign_page(core, "config", page)),
        agent_config=(yield from _sign_page(core, "agentConfig", page)),
    )


def user_info(core: Core, code: str, *, any_corp: bool = False) -> Steps[UserInfo]:
    """Return who has opened the page: `service/auth/getuserinfo3rd` for a `SuiteApp` [91121], or this API [91023].

    A code is for one use and valid 5 minutes. WeCom's login leads back to the page with it, as the parameter `code`.
    When an answer gets lost, the code is used up: then this raises 40029, and the person logs in again.

    Members of all corps that have a third-party app can log in to it, and two corps may have the same userid. So a
    member of another corp than the client's is refused with 40029, too.

    Args:
        code: The code.
        any_corp: Return members of all corps, such as for a page that asks nobody for the corp before; then everything
            that the page shows must be that of the corp in the answer.

    Raises:
        ZoneClientError: WeCom refuses the request, or can't be reached; or the member is of another corp.
    """
    if core.suite is None:
        request = Request("auth/getuserinfo", secrets={"code": code})
        answer = yield from core.perform(request)
    else:
        request = Request("service/auth/getuserinfo3rd", secrets={"code": code})
        answer = yield from core.perform_as_suite(core.suite, request)
    found = read_answer(UserInfo, answer)
    if not any_corp and found.corpid and core.corpid and found.corpid != core.corpid:
        raise PlatformError(request.api, 40029, f"the code is one of a member of the corp {printable(found.corpid)}")
    return found


def sign(ticket: str, nonce: str, timestamp: int, url: str) -> str:
    """Return the signature of a page [90506]."""
    signed = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={url}"
    return hashlib.sha1(signed.encode(), usedforsecurity=False).hexdigest()


def _sign_page(core: Core, kind: TicketKind, url: str) -> Steps[PageSignature]:
    ticket = yield from core.page_ticket(kind)
    nonce, timestamp = secrets.token_hex(8), int(time.time())
    return PageSignature(timestamp=timestamp, nonce_str=nonce, signature=sign(ticket, nonce, timestamp, url))
