"""An HTTP server in memory that answers what a test says, one answer for each request after that for a token."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs

import httpx
import msgspec

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

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        if request.url.path == "/cgi-bin/gettoken":
            self.tokens.append(parse_qs(request.url.query.decode()))
            return answer(access_token=f"token-{len(self.tokens)}", expires_in=7200)
        self.requests.append(request)
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return httpx.Response(outcome.status_code, headers=outcome.headers, content=outcome.content)
