"""An HTTP server in memory that answers what a test says, one answer for each request after that for a token."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs

import httpx
import msgspec

from tests.client.conftest import QUICK
from wwspec_client import AsyncZoneClient, ZoneClient

Outcome = httpx.Response | Exception


def answer(errcode: int = 0, errmsg: str = "ok", **fields: Any) -> httpx.Response:
    """Return an answer of WeCom."""
    return httpx.Response(200, json={"errcode": errcode, "errmsg": errmsg, **fields})


def reply(**fields: Any) -> httpx.Response:
    """Return the answer to a call, with the program's reply."""
    return answer(response_data=msgspec.json.encode(fields).decode())


class Script(httpx.BaseTransport):
    """Answers in turn; the last answer is given again and again."""

    def __init__(self, outcomes: Iterable[Outcome]) -> None:
        self.outcomes = list(outcomes)
        self.requests: list[httpx.Request] = []
        """All but those for a token."""
        self.tokens: list[dict[str, list[str]]] = []
        """The query of each request for a token."""
        self.seconds: list[float] = []
        """What each request has for its answer, also one for a token."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.seconds.append(round(request.extensions["timeout"]["read"]))
        if request.url.path == "/cgi-bin/gettoken":
            self.tokens.append(parse_qs(request.url.query.decode()))
            return answer(access_token=f"token-{len(self.tokens)}", expires_in=7200)
        self.requests.append(request)
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return httpx.Response(outcome.status_code, headers=outcome.headers, content=outcome.content)


def client_of(*outcomes: Outcome, **options: Any) -> ZoneClient:
    """Return a client whose requests end so, without pauses; `transport` takes a script of the test's own."""
    return ZoneClient(**_given(options, Script(outcomes)))


@contextmanager
def scripted(*outcomes: Outcome, **options: Any) -> Iterator[tuple[ZoneClient, Script]]:
    """Yield the same client together with its script."""
    script = Script(outcomes)
    with client_of(transport=script, **options) as client:
        yield client, script


def async_client_of(*outcomes: Outcome, **options: Any) -> AsyncZoneClient:
    """Return the same for an event loop."""
    script = options.pop("script", None) or Script(outcomes)
    return AsyncZoneClient(**_given(options, httpx.MockTransport(script.handle_request)))


def _given(options: dict[str, Any], transport: httpx.BaseTransport) -> dict[str, Any]:
    account = {} if "tokens" in options else {"corpid": "corp", "secret": "the-secret"}
    return {**account, "program_id": "p", "transport": transport, "retries": QUICK, **options}
