"""What a test does to an emulated platform: it sets faults, sends calls again, and reads who is who.

Its methods return values and do not know HTTP. WeCom has nothing like it.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

from wwspec_contracts.errors import ConfigurationError, did_you_mean
from wwspec_devtools.emulator.answers import Answer, RefusedError, accepted, read, refusing
from wwspec_devtools.emulator.appside.table import NAMES
from wwspec_devtools.emulator.callbacks.delivery import COMMANDS, DATA
from wwspec_devtools.emulator.display.masking import unmasked_text
from wwspec_devtools.emulator.events.types import EVENT_TYPES
from wwspec_devtools.emulator.http.abilities import request_text
from wwspec_devtools.emulator.platform import Platform, PlatformPart
from wwspec_devtools.emulator.program.programs import ask_program, begin
from wwspec_devtools.emulator.scene import SceneMessage
from wwspec_devtools.emulator.settings import CallbackSpec
from wwspec_devtools.emulator.standin.wwspec_standin.names import SDK_APIS
from wwspec_devtools.emulator.standin.wwspec_standin.seal import CallContent
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.authorisations import CHAT
from wwspec_devtools.emulator.state.conversations import Message
from wwspec_devtools.emulator.state.faults import ANSWER, FaultSpec
from wwspec_devtools.emulator.state.seeds import say
from wwspec_devtools.emulator.state.traffic.entries import APP, SDK, Entry

MAX_TIMES = 1000
"""The most times that one replay sends a call."""

APIS = {APP: NAMES, SDK: SDK_APIS}
"""The APIs that a fault may name, by side. On the program's side it names an ability ID or event type."""

_SHOWN_SETTINGS = (
    "folder",
    "app_type",
    "program_id",
    "call_timeout",
    "seed",
    "debug_token",
    "suite_id",
    "suite_secret",
)


class Control(PlatformPart):
    """Controls one platform.

    Args:
        platform: The platform.

    Raises:
        ConfigurationError: A fault of the settings makes no sense.
    """

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform)
        self._set_faults()

    def reset(self) -> Answer:
        """Go back to the state and the time of the start, with the faults of the settings."""
        answer = self._platform.reset()
        self._set_faults()
        return answer

    def _set_faults(self) -> None:
        for number, fault in enumerate(self._platform.settings.faults, 1):
            try:
                self.add_fault(msgspec.json.encode(fault))
            except RefusedError as error:
                raise ConfigurationError(f"[[faults]] {number}: {error.hint}") from None

    def info(self, base_url: str, corp: str) -> Answer:
        """Return the emulated world, enough for an app to call its program, and how much is recorded.

        Args:
            base_url: Where the emulator listens.
            corp: Which corp; empty for the first one.
        """
        platform, settings, world = self._platform, self._platform.settings, self._platform.world
        courier = platform.couriers.get(DATA)
        with world.lock:
            app, now = world.app_of(corp), world.clock.now()
            receiver = app.receiver
            program = world.program
            contracts, kept = program.contracts, world.kept(app)
            token = world.accounts.token_of(app, now)
            who = self._who(app)
            suite = {"suite_ticket": world.suite.ticket(now), "permanent_code": app.authorisation.permanent_code}
        return accepted(
            **{name: getattr(app, name) for name in ("corpid", "agentid", "secret")},
            **{name: getattr(settings, name) for name in _SHOWN_SETTINGS},
            corps=[each.corpid for each in world.apps],
            **suite,
            access_token=token,
            program_url=program.url,
            callback_url="" if courier is None else courier.url,
            callback_verified=courier is not None and courier.verified,
            abilities=None if contracts is None else sorted(contracts),
            events=list(EVENT_TYPES),
            receives_events=receiver is not None,
            messages=kept["messages"].entries,
            now=platform.clock.seconds(),
            kept=msgspec.to_builtins(kept),
            url=base_url,
            **who,
        )

    def _who(self, app: App) -> Answer:
        """Return the people, groups and knowledge bases of the app's corp. The caller holds the lock."""
        corp = self._platform.world.corp(app)
        chats = corp.chats
        return {
            "employees": {each.id: chats.people.name_of(each) for each in chats.employees},
            "customers": {each.id: chats.people.name_of(each) for each in chats.customers},
            "robots": [each.id for each in chats.robots],
            "groups": {
                each.chatid: {"name": each.name, "members": [member.id for member in each.members]}
                for each in chats.groups.values()
            },
            "knowledge_bases": {each.kb_id: each.name for each in corp.knowledge.authorised()},
        }

    def add_fault(self, body: bytes) -> Answer:
        """Set a fault, given as the JSON of a `FaultSpec`; return its `id`, and a `note` on a name that is unknown."""
        fault = read(FaultSpec, body)
        note = _check_api(fault)
        return accepted(id=self._platform.world.faults.add(fault), note=note)

    def faults(self) -> Answer:
        """Return the `faults` that are still set."""
        return accepted(faults=[fault.shown() for fault in self._platform.world.faults.listed()])

    def clear_faults(self, query: Mapping[str, str]) -> Answer:
        """Remove the faults of an `id`, an `effect` or an `api`, or all; return how many were `cleared`."""
        chosen = (query.get(name, "") for name in ("id", "effect", "api"))
        return accepted(cleared=self._platform.world.faults.clear(*chosen))

    def say(self, sender: str, text: str, to: Sequence[str], group: str, msgtype: int, count: int, corp: str) -> Answer:
        """Let a person say something, `count` times, and return the `msgid` of the last message.

        `number` is that of its event's entry; null when no program receives events.

        For each message the program gets conversation_new_message, and hit_keyword when it hits a rule of the program.
        """
        messages = [
            SceneMessage(sender=sender, text=text.replace("{n}", str(n)), to=[*to], group=group, msgtype=msgtype)
            for n in range(1, count + 1)
        ]
        *_, (said, token) = [self._say(each, corp) for each in messages]
        event = self._platform.world.traffic.find(token)
        return accepted(msgid=said.msgid, number=None if event is None else event.number)

    def _say(self, message: SceneMessage, corp: str) -> tuple[Message, str]:
        """Add a message; return it, and the token of its event."""
        world = self._platform.world
        with refusing(), world.lock:
            app = world.app_of(corp)
            said = say(world.corp(app).chats, message, world.clock.seconds())
            token = world.issue_event_token(app)
        world.raise_event(app, "conversation_new_message", {"token": token}, said)
        return said, token

    def recall(self, msgid: str, corp: str) -> Answer:
        """Let a message's sender take it back."""
        world = self._platform.world
        with world.lock:
            if not world.corp(world.app_of(corp)).chats.recall(msgid):
                raise RefusedError(710601, "there is no such message")
        return accepted()

    def expire_tokens(self) -> Answer:
        """Let the access tokens of all apps expire before their two hours are over; return how many `expired`."""
        world = self._platform.world
        with world.lock:
            return accepted(expired=world.accounts.expire_tokens(world.clock.now()))

    def verify_callback(self, of_commands: bool = False) -> Answer:
        """Verify the app's callback URL; return whether it is `verified`, else the `reason`.

        Args:
            of_commands: Whether it is the command URL of the suite.
        """
        kind = COMMANDS if of_commands else DATA
        courier = self._platform.couriers.get(kind)
        missing = "the emulator has no {}: start it with {}, {} and {}".format(kind.name, *kind.names)
        reason = courier.verify() if courier else missing
        return accepted(verified=not reason, reason=reason, url=courier.url if courier else "")

    def set_callback(self, url: str, token: str, encoding_aes_key: str) -> Answer:
        """Send notifications to another callback URL, and return its `url`."""
        return self._platform.set_callback_url(DATA, CallbackSpec(url, token, encoding_aes_key))

    def restore_callback(self) -> Answer:
        """Send notifications to the callback URL of the start again, if there was one; return its `url`."""
        spec = self._platform.settings.callback
        return self._platform.set_callback_url(DATA, spec if spec.url else None)

    def receive_events(self, corp: str) -> Answer:
        """Let the app choose the program as the receiver of its events; return the platform's answer.

        Args:
            corp: At which corp; empty for every one that authorises the app, or else the first.
        """
        world = self._platform.world
        with world.lock:
            now = world.clock.now()
            able = [each for each in world.apps if each.authorised and each.authorisation.has(CHAT, now)]
        answers = [self._receive_events(each) for each in ([world.app_of(corp)] if corp else able or [world.app])]
        return next((each for each in answers if each["errcode"]), answers[0])

    def _receive_events(self, app: App) -> Answer:
        body = msgspec.json.encode({"program_id": self._platform.settings.program_id})
        answer, number = self._platform.call_as_app("chatdata/set_receive_callback", body, app)
        cut = {"errcode": -1, "errmsg": "a fault that was set cuts the connection"}
        return {**(cut if answer is None else answer), "number": number}

    def replay(
        self,
        number: int,
        request: Any = msgspec.UNSET,
        data: str | None = None,
        ability_id: str | None = None,
        notify_id: str | None = None,
        times: Annotated[int, msgspec.Meta(ge=1, le=MAX_TIMES)] = 1,
    ) -> Answer:
        """Send a recorded call or event to the program once more, or many times.

        It is sealed again, with a new request id and time. The answer is what the app would get for the last one:
        errcode, errmsg, and the program's `reply`; `number` is that of its entry, and `results` has all of them.
        Console contracts are not applied, so a test can send a bad request. Masked secrets in an edited request are
        replaced by those of the recorded request.

        Args:
            number: Of the entry.
            request: JSON value instead of the recorded one.
            data: The request's text, which need not be JSON.
            ability_id: Instead of the recorded one.
            notify_id: Instead of the recorded one.
            times: How often to send it, one after the other.
        """
        world, results = self._platform.world, list[Answer]()

        def send() -> Answer:
            recorded = world.traffic.get(number)
            if recorded is None or recorded.call is None:
                raise RefusedError(40058, "no call or event of this number is recorded")
            text = request_text(request, data)
            unmasked = None if text is None else unmasked_text(text, recorded.call.data)
            changes: dict[str, Any] = {"data": unmasked, "ability_id": ability_id, "notify_id": notify_id}
            call = recorded.call._replace(**{name: each for name, each in changes.items() if each is not None})
            last: Answer = {}
            for _ in range(times):
                last = self._send_again(recorded, call)
                results.append({"number": last["number"], "errcode": last["errcode"]})
            return last

        return {"reply": "", **world.answered(send), "results": results}

    def _send_again(self, recorded: Entry, call: CallContent) -> Answer:
        world = self._platform.world
        again = call._replace(request_id=world.reference(), timestamp=world.clock.seconds())
        with world.lock:
            program = world.program
            contract = (program.contracts or {}).get(again.ability_id)
        entry = begin(world, again.ability_id or recorded.name, again, replay_of=recorded.number, contract=contract)
        answer = world.answered(lambda: accepted(reply=ask_program(world, program, again, entry=entry)))
        return {**answer, "number": entry.number}


def _check_api(fault: FaultSpec) -> str:
    """Return a note on an API that gets an answer by hand and has almost the name of another; empty for any other.

    Raises:
        RefusedError: 40058, for an API that nobody can call on that side: the fault would never work.
    """
    known = APIS.get(fault.on, ())
    if fault.effect == ANSWER and fault.api not in known:
        return did_you_mean(fault.api, known, question=f"the emulator has no SDK API {fault.api}: did you mean {{}}?")
    if known and fault.api not in ("", *known):
        what = "the emulator's WeCom" if fault.on == APP else "the SDK"
        hint = did_you_mean(fault.api, known, f"it has {', '.join(known)}")
        raise RefusedError(40058, f"{what} has no API of this name; {hint}")
    return ""
