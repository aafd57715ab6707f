"""A platform in memory, and a program in memory that it calls: sealed like the real one, without sockets."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest

from tests.support.sealing import seal_reply
from wwspec_contracts.files import ConsoleContract
from wwspec_devtools.emulator.platform import Platform
from wwspec_devtools.emulator.settings import EmulatorSettings
from wwspec_devtools.emulator.standin.wwspec_standin import seal
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.conversations import CUSTOMER, EMPLOYEE, Group, Message, Party
from wwspec_devtools.emulator.state.corps import Corp
from wwspec_devtools.emulator.state.logins import DOC_TICKET, Login
from wwspec_devtools.emulator.state.machines import Machines
from wwspec_devtools.emulator.state.programs import LinkedProgram
from wwspec_devtools.emulator.state.world import Caller, ChannelConnectError, ProgramReply

Json = dict[str, Any]

START = 1_750_000_000
SECOND_PROGRAM = "second-program"


class ProgramInMemory:
    """A channel that ends in a function instead of a socket: opens each call and seals what `reply` gives."""

    def __init__(self) -> None:
        self.key = b""
        self.calls: list[seal.CallContent] = []
        self.limits: list[float | None] = []
        self.reply: Callable[[seal.CallContent], str] = lambda call: "{}"

    def post(self, url: str, headers: Mapping[str, str], body: str, limit: float | None = None) -> ProgramReply:
        if url.startswith("http://unreachable"):
            raise ChannelConnectError("refused")
        call = seal.open_call(self.key, headers.items(), body)
        self.calls.append(call)
        self.limits.append(limit)
        sealed = seal_reply(self.key, self.reply(call), call.request_id, 0)
        return ProgramReply(200, list(sealed.headers.items()), sealed.body.encode())


class EmulatedZone:
    """An emulated platform, called as a program calls it for the app of one corp."""

    number = 0
    """Of the corp, among those of the platform."""

    def __init__(self, **settings: Any) -> None:
        self.settings = EmulatorSettings(**{"messages": 200, "clock_start": START, **settings})
        self.program = ProgramInMemory()
        self.platform = Platform(self.settings, self.program)
        self.world = self.platform.world
        self.program.key = self.world.zone_key
        self.chats = self.world.conversations[self.settings.corpid]
        with self.world.lock:
            self.world.app.receiver = self.world.app.programs[self.settings.program_id]

    @property
    def app(self) -> App:
        return self.world.apps[self.number]

    @property
    def corp(self) -> Corp:
        return self.world.corp(self.app)

    def __call__(self, api: str, request: Json | None = None, *, job_info: str = "", **more: Any) -> Json:
        """Call an SDK API; `more` are fields of the request."""
        caller = Caller(corpid=self.app.corpid, agentid=self.app.agentid, job_info=job_info)
        answer: Json = json.loads(self.text(api, {**(request or {}), **more}, caller))
        return answer

    def text(self, api: str, request: Json, caller: Caller) -> str:
        return self.platform.sdk_call(api, caller, json.dumps(request).encode()).decode()

    def ok(self, api: str, request: Json | None = None, **more: Any) -> Json:
        answer = self(api, request, **more)
        assert answer["errcode"] == 0, answer
        return answer

    def refused(self, api: str, request: Json | None = None, **more: Any) -> int:
        """Return the errcode of a call that must be refused."""
        answer = self(api, request, **more)
        assert answer["errcode"] != 0, answer
        assert set(answer) == {"errcode", "errmsg"}
        return int(answer["errcode"])

    def pages(self, api: str, field: str, request: Json) -> list[list[Json]]:
        """Page to the end as a program does."""
        found: list[list[Json]] = []
        cursor, more = "", True
        while more:
            answer = self.ok(api, {**request, "cursor": cursor})
            found.append(answer[field])
            cursor, more = answer["next_cursor"], bool(answer["has_more"])
        return found

    def say(self, text: str | None = None, **more: Any) -> Message:
        with self.world.lock:
            return self.chats.say(self.world.clock.seconds(), text, **more)

    def app_call(self, api: str, **request: Any) -> Json:
        """Call an API of the app's side."""
        answer, _ = self.platform.call_as_app(f"chatdata/{api}", json.dumps(request).encode(), self.app)
        assert answer is not None
        return answer

    def called(self, api: str = "sync_call_program", **more: Any) -> Json:
        """Let the app call the program."""
        return self.app_call(api, program_id=self.settings.program_id, ability_id="a", request_data="{}", **more)

    def access_token(self) -> Json:
        """Return the query of an app's call, with a fresh or still valid token."""
        asked = {"corpid": self.app.corpid, "corpsecret": self.app.secret}
        return {"access_token": self.platform.app_call("gettoken", asked, b"")["access_token"]}

    def event_token(self) -> str:
        with self.world.lock:
            return self.world.issue_event_token(self.app)

    def advance(self, seconds: float) -> None:
        assert self.platform.advance(seconds)["errcode"] == 0

    def events(self, event_type: str) -> list[Json]:
        """Return the own objects of the events of one type that reached the program so far."""
        self.platform.wait_idle()
        events = [json.loads(call.data) for call in self.program.calls if call.call_type == 2]
        return [event[event_type] for event in events if event["event_type"] == event_type]

    def key_of(self, message: Message) -> Json:
        """Return a message as a task takes it, with the key that the app opened."""
        return {"msgid": message.msgid, "encrypt_info": {"secret_key": self.app.keys.secret_key(message.msgid)}}

    def talk(self, *texts: str) -> list[Json]:
        """Let a customer say something in a single chat, and return it as a task takes it."""
        return [self.key_of(self.say(text, parties=self.customer_first)) for text in texts]

    def authorise(self, kb_id: str, *, authorised: bool) -> None:
        """Give the app a knowledge base of the corp, or take it back."""
        with self.world.lock:
            self.corp.knowledge.authorise(kb_id, authorised=authorised)

    @property
    def customer_first(self) -> tuple[Party, Party]:
        return (self.chats.customers[0], self.chats.employees[0])

    @property
    def employee_first(self) -> tuple[Party, Party]:
        return (self.chats.employees[0], self.chats.customers[0])

    @property
    def pair(self) -> tuple[Party, Party]:
        """An employee and a customer who have a single chat."""
        return next(pair for pair in self.chats.pairs if pair[1].type == CUSTOMER)

    @property
    def ids_of_pair(self) -> Json:
        return {"userid": self.pair[0].id, "external_userid": self.pair[1].id}

    def group(self, *, internal: bool) -> Group:
        """Return the first group with customers, or the first without."""
        return next(group for group in self.chats.groups.values() if group.internal is internal)

    def doc_ticket(self, userid: str) -> str:
        """Return the ticket that the app gets when a member logs in to its page."""
        with self.world.lock:
            login = Login(app=self.app, party=Party(EMPLOYEE, userid))
            return self.world.logins.issue(DOC_TICKET, login, self.world.clock.now())

    def upload(self, name: str, content: bytes = b"content") -> str:
        with self.world.lock:
            return self.corp.media.add(self.settings.agentid, name, content, self.world.clock.now())

    def link(self, contracts: dict[str, ConsoleContract] | None = None, url: str = "http://127.0.0.1:9") -> None:
        """Link a second program with the app."""
        with self.world.lock:
            self.app.programs[SECOND_PROGRAM] = LinkedProgram(
                program_id=SECOND_PROGRAM, machines=Machines(url), contracts=contracts
            )

    def foreign_app(self, api: str, request: Json) -> Json:
        """Call as another app of the same corp."""
        agentid = self.settings.agentid + 1
        with self.world.lock:
            app = self.world.app
            other = msgspec.structs.replace(app, agentid=agentid, secret="other")  # noqa: S106
            self.world.accounts._apps[(app.corpid, agentid)] = other  # the settings have one app
        caller = Caller(corpid=self.settings.corpid, agentid=agentid)
        answer: Json = json.loads(self.text(api, request, caller))
        return answer


@pytest.fixture
def zone() -> EmulatedZone:
    return EmulatedZone()
