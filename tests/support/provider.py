"""The command callback URL of a provider, and the calls that a provider makes with its suite."""

import json
import time
from collections import deque
from contextlib import ExitStack
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from tests.support.emulator import Response, http_server
from wwspec_contracts.callbacks import Callback, CallbackCrypto, CallbackReceiver
from wwspec_devtools.emulator.http.client import EmulatorClient

Json = dict[str, Any]

TOKEN = "command-token"  # noqa: S105
AES_KEY = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefg"
SUITE_ID, PROVIDER = "emulator-suite", "wwprovider00000001"

COMMAND_SETTINGS = {"command_token": TOKEN, "command_encoding_aes_key": AES_KEY}


class CommandUrl:
    """A command URL; `answers` holds its next answers: texts, or seconds to wait before the right one."""

    def __init__(self, stack: ExitStack) -> None:
        self._verify = CallbackReceiver(CallbackCrypto(TOKEN, AES_KEY, PROVIDER))
        self._receivers = {
            each: CallbackReceiver(CallbackCrypto(TOKEN, AES_KEY, each)) for each in (SUITE_ID, PROVIDER)
        }
        self.answers: deque[str | float] = deque()
        self.received: list[Callback] = []
        self.verified = 0
        self.url = stack.enter_context(http_server(self._post, self._get)) + "/commands"

    def _get(self, path: str) -> Response:
        echo = self._verify.answer_echo(dict(parse_qsl(urlsplit(path).query)))
        self.verified += 1
        return 200, {}, echo.encode()

    def _post(self, headers: list[tuple[str, str]], body: bytes) -> Response:
        query = dict(parse_qsl(urlsplit(dict(headers)[":path"]).query))
        receiver = self._receivers[SUITE_ID if SUITE_ID in body.decode() else PROVIDER]
        callback = receiver.open(query, body.decode())
        self.received.append(callback)
        answer = self.answers.popleft() if self.answers else "success"
        if isinstance(answer, float):
            time.sleep(answer)
            answer = "success"
        return 200, {}, answer.encode()

    def names(self, *but: str) -> list[str]:
        return [each.fields["InfoType"] for each in self.received if each.fields["InfoType"] not in but]

    def last(self, info_type: str) -> Callback:
        return next(each for each in reversed(self.received) if each.fields["InfoType"] == info_type)


class Provider:
    def __init__(self, emulator: EmulatorClient, http: httpx.Client) -> None:
        self._emulator = emulator
        self._http = http

    def suite_token(self, ticket: str = "") -> Json:
        info = self._emulator.info()
        body = {"suite_id": info["suite_id"], "suite_secret": info["suite_secret"]}
        return self._post("get_suite_token", {**body, "suite_ticket": ticket or info["suite_ticket"]}, {})

    def call(self, path: str, **body: str) -> Json:
        return self._post(path, body, {"suite_access_token": self.suite_token()["suite_access_token"]})

    def pre_auth_code(self) -> str:
        query = {"suite_access_token": self.suite_token()["suite_access_token"]}
        answer = self._http.get("/cgi-bin/service/get_pre_auth_code", params=query).json()
        assert (answer["errcode"], answer["expires_in"]) == (0, 1200)
        return str(answer["pre_auth_code"])

    def _post(self, path: str, body: Json, query: Json) -> Json:
        answer: Json = self._http.post(f"/cgi-bin/service/{path}", params=query, content=json.dumps(body)).json()
        return answer
