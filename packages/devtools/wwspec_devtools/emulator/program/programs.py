"""Exchanges with the program: seal, send, open, and fail with the errcodes that the app sees [100042, 99812].

It holds no lock while it sends: the program may be slow, and calls the platform meanwhile. It does not know the APIs
that lead to a call. `HttpChannel` is the way to the program: one pool of kept-alive connections for all threads.
"""

import logging
import re
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import httpx

from wwspec_contracts.call_type import CallType
from wwspec_contracts.files import ConsoleContract
from wwspec_contracts.support.certificates import trusted
from wwspec_contracts.support.printable import printable
from wwspec_devtools.emulator.answers import Answer, Asked, RefusedError, accepted, asked
from wwspec_devtools.emulator.matching import check_request, check_result, registered
from wwspec_devtools.emulator.standin.wwspec_standin import seal
from wwspec_devtools.emulator.standin.wwspec_standin.link import notify_id_of
from wwspec_devtools.emulator.state.faults import DROP, ERRCODE, PROGRAM, TIMEOUT
from wwspec_devtools.emulator.state.jobs import Job, OnResult
from wwspec_devtools.emulator.state.machines import Machine
from wwspec_devtools.emulator.state.programs import LinkedProgram
from wwspec_devtools.emulator.state.traffic.entries import CALL, EVENT, Cause, Entry, Head, Reply, body_of
from wwspec_devtools.emulator.state.traffic.record import current_entry, note_contract, under
from wwspec_devtools.emulator.state.traffic.references import job_key
from wwspec_devtools.emulator.state.world import (
    Caller,
    ChannelConnectError,
    ChannelLostError,
    ChannelTimeoutError,
    ProgramReply,
    World,
)

MODEL_SECONDS = 5.0
"""Seconds in which an own model must answer the platform's request [99835]."""

_log = logging.getLogger(__name__)

_OK = 200
_CONNECT, _CUT = 710674, 710675
_MOST_SAID = 400
"""Bytes of the body of a bare HTTP status that the caller is shown."""
_UNREAD_SECONDS = 0.5
"""A program that ends gives its calls more time: it has not read a call whose connection ended sooner."""
_PROCESS = re.compile(r"([0-9]{1,10}) ([0-9]{1,12}\.[0-9]{3})")


class JobReport(Asked):
    """Request of `program_async_job_call_back`."""

    errcode: int
    result: str = ""


def begin(
    world: World,
    name: str,
    call: seal.CallContent,
    *,
    keys: tuple[str, ...] = (),
    replay_of: int | None = None,
    contract: ConsoleContract | None = None,
    cause: Cause | None = None,
) -> Entry:
    """Record that a call or an event goes to the program.

    Args:
        world: The emulator's state.
        name: The ability ID or the event's type.
        call: What is to be sent.
        keys: Values by which later exchanges refer to it, besides its request_id, job_info and notify_id.
        replay_of: Number of the entry that is sent again.
        contract: The ability's contract; by default that of the entry that caused the call.
        cause: Of an event.
    """
    kind = EVENT if call.call_type == CallType.EVENT else CALL
    notify_id = notify_id_of(call.request_id, 1)
    own = (notify_id, job_key(notify_id)) if kind == EVENT else (call.job_info,) if call.job_info else ()
    caused_by = current_entry()
    return world.traffic.begin(
        kind,
        name,
        call.data,
        keys=(call.request_id, *own, *keys),
        call=call,
        ability=call.ability_id,
        corpid=call.corpid,
        agentid=call.agentid,
        replay_of=replay_of,
        contract=caused_by.contract if contract is None and caused_by is not None else contract,
        cause=cause,
    )


def new_call(
    world: World, corpid: str, agentid: int, data: str, call_type: int = CallType.APP, **more: Any
) -> seal.CallContent:
    """Return a call that is made now; `more` are its other fields."""
    now = world.clock.seconds()
    return seal.CallContent(corpid, agentid, call_type, data, world.reference(), now, **more)


def ask_program(
    world: World,
    program: LinkedProgram,
    call: seal.CallContent,
    *,
    limit: float | None = None,
    entry: Entry | None = None,
    job: Job | None = None,
) -> str:
    """Send one call and return the text of the program's reply.

    Args:
        world: The emulator's state.
        program: Whom to call.
        call: What to seal.
        limit: Real seconds to wait for each read and write; the settings' when None.
        entry: Where it is recorded; a new entry when None.
        job: Of an asynchronous call; it stays on its machine.

    Raises:
        RefusedError: 710674, 710675, 710676 or 710677, or the errcode of a fault.
    """
    entry = entry or begin(world, call.ability_id, call)
    reply = ""
    exchange = _Exchange(world, program, entry, job)
    try:
        met = world.faults.apply(PROGRAM, entry.name, entry)
        errcode = int(met[ERRCODE].value) if ERRCODE in met else _CUT if TIMEOUT in met or DROP in met else 0
        if errcode == _CONNECT:
            raise RefusedError(_CONNECT, "a fault that was set")
        with under(entry):
            reply = exchange.send(call, limit)
        world.faults.pause(met)
        if errcode:
            raise RefusedError(errcode, "a fault that was set")
    except RefusedError as error:
        world.traffic.end(entry, error.errcode, reply, came_back=exchange.came_back)
        raise
    world.traffic.end(entry, 0, reply, came_back=exchange.came_back)
    return reply


def reply_to_empty_call(world: World, program: LinkedProgram, ability_id: str, limit: float) -> str:
    """Call an ability with `{}` and return the text of the reply, without a record.

    No fault hits the call. So it shows the state of the program even while a test sets faults.

    Args:
        world: The emulator's state.
        program: Whom to call.
        ability_id: An ability of the program, registered or not.
        limit: Real seconds to wait for each read and write.

    Raises:
        RefusedError: 710674, 710675, 710676 or 710677.
    """
    call = seal.CallContent(
        corpid=world.app.corpid,
        agentid=world.app.agentid,
        call_type=CallType.APP,
        ability_id=ability_id,
        data="{}",
        request_id=uuid4().hex,  # not from `reference`: the app's must not depend on who watches
        timestamp=world.clock.seconds(),
    )
    unrecorded = Entry(number=0, time=0.0, offset=0.0, kind=CALL, name=ability_id, flow=0)
    return _Exchange(world, program, unrecorded).send(call, limit)


def call_async(
    world: World,
    program: LinkedProgram,
    ability_id: str,
    data: str,
    agentid: int,
    on_result: OnResult | None,
    *,
    corpid: str = "",
    limit: float | None = None,
) -> str:
    """Call a program asynchronously and return the jobid once the program has answered. It takes the lock itself.

    Args:
        world: The emulator's state.
        program: Whom to call.
        ability_id: Which of its abilities.
        data: The request's JSON text.
        agentid: The app that the call carries; 0 for none.
        on_result: Called with the errcode and the result that the program reports, without a lock, perhaps before this
            function returns. None keeps them for `async_program_result`.
        corpid: The corp that the call carries; the first one when empty.
        limit: Real seconds to wait for the program's answer, such as `MODEL_SECONDS`; the settings' when None.

    Raises:
        RefusedError: 800003, 790015 or 790016 for the request; 710674 to 710677 when the program could not be called.
    """
    program.start.wait()
    with world.lock:
        contract = registered(program, ability_id)
    note_contract(contract)
    check_request(contract, data)
    corpid = corpid or world.settings.corpid
    with world.lock:
        job = world.jobs.start(corpid, agentid, contract, on_result)
    if (cause := current_entry()) is not None:
        world.traffic.update(cause, keys=(job.jobid,))
    call = new_call(world, corpid, agentid, data, ability_id=ability_id, is_async=True, job_info=job.job_info)
    entry = begin(world, ability_id, call)
    if on_result is None:  # the program never learns the jobid
        _log.info("the app knows this job as %s", job.jobid, extra={"request": entry.number})
    try:
        ask_program(world, program, call, limit=limit, entry=entry, job=job)
    except RefusedError:
        with world.lock:
            world.jobs.forget(job)
        raise
    return job.jobid


def report_job(world: World, caller: Caller, body: bytes) -> Answer:
    """Answer `program_async_job_call_back`: record a job's result, once.

    After a refused result the job stays in progress, so the program can report again.

    Raises:
        RefusedError: 790017, 790010, 790013 or 790014.
    """
    request = asked(JobReport, body)
    with world.lock:
        job = world.jobs.in_progress(caller.job_info, caller.corpid, caller.agentid)
        if job.machine and caller.machine not in (0, job.machine):
            raise RefusedError(790017, f"the job is of machine {job.machine}, the report of machine {caller.machine}")
        note_contract(job.contract)
        if request.result or request.errcode == 0:
            check_result(job.contract, request.result)
        world.jobs.report(job, request.errcode, request.result)
    if job.on_result is not None:
        job.on_result(job.errcode, job.result)
    return accepted()


class _Exchange:
    """One call to the program, and its reply.

    Args:
        world: The emulator's state.
        program: Whom to call.
        entry: The entry that records it.
        job: Of an asynchronous call.
    """

    def __init__(self, world: World, program: LinkedProgram, entry: Entry, job: Job | None = None) -> None:
        self._world = world
        self._program = program
        self._entry = entry
        self._job = job
        self._machine: Machine
        self.came_back: Reply | None = None
        """The sealed reply."""

    def send(self, call: seal.CallContent, limit: float | None) -> str:
        """Send the call, and return the text of the reply; see `ask_program`."""
        reply = self._post(call, limit)
        self.came_back = Reply(reply.status, reply.headers, body_of(reply.body))
        self._note_process(reply)
        self._entry.job = dict(reply.headers).get(seal.JOB_HEADER, "")
        if reply.status != _OK:
            said = printable(" ".join(reply.body[:_MOST_SAID].decode("utf-8", "replace").split()))
            raise RefusedError(710676, f"http status {reply.status}{f': {said}' if said else ''}")
        try:
            opened = seal.open_reply(self._world.zone_key, reply.headers, reply.body.decode())
        except UnicodeDecodeError:
            raise RefusedError(710677, "the body is not UTF-8") from None
        except seal.SealError as error:
            raise RefusedError(710677, str(error)) from None
        if opened.is_exception:
            raise RefusedError(710677, "the exception header: the program could not decode the call")
        if opened.request_id != call.request_id:
            _log.warning(
                "request %s was answered from a thread that last decoded %s: decode and reply on one thread",
                call.request_id,
                opened.request_id or "nothing",
            )
        return opened.text

    def _post(self, call: seal.CallContent, limit: float | None) -> ProgramReply:
        start = self._program.start
        begun = start.begun
        start.wait()
        machine = self._machine = self._machine_for(call)
        target = self._debug_url(call) or machine.url
        sealed = seal.seal_call(self._world.zone_key, call)
        headers = dict(sealed.headers)
        if self._entry.number:
            headers[seal.ENTRY_HEADER] = str(self._entry.number)
        self._entry.head = Head("POST", target, list(headers.items()))
        self._entry.sealed = body_of(sealed.body)
        sent = time.monotonic()
        try:
            reply = self._world.channel.post(target, headers, sealed.body, limit)
        except ChannelConnectError as error:
            if start.begun != begun:  # since this call had not to wait; it may have ended already
                return self._post(call, limit)
            machine.note_connection(False, time.time())
            raise RefusedError(_CONNECT, str(error)) from None
        except ChannelTimeoutError as error:
            is_lost = isinstance(error, ChannelLostError) and time.monotonic() - sent < _UNREAD_SECONDS
            if is_lost and start.begun != begun:
                return self._post(call, limit)
            raise RefusedError(_CUT, str(error)) from None
        machine.note_connection(True, time.time())
        return reply

    def _debug_url(self, call: seal.CallContent) -> str:
        return self._world.app_of(call.corpid).debug_url(self._program)

    def _machine_for(self, call: seal.CallContent) -> Machine:
        """Return the machine that gets the call, and record it."""
        machines, settings = self._program.machines, self._world.settings
        if self._debug_url(call):
            return machines.all[0]
        if not (machines.are_several and self._entry.number):  # what is not recorded takes no turn
            return machines.first()
        maker = machines.maker(call.notify_id) if settings.route_notify_ids else None
        if maker is not None and settings.gone_errcode and not machines.lives(maker):
            raise RefusedError(settings.gone_errcode, f"machine {maker.number}, which made the notify_id, is gone")
        machine = machines.next(maker)
        self._entry.machine = machine.number
        if self._job is not None:
            self._job.machine = machine.number
        return machine

    def _note_process(self, reply: ProgramReply) -> None:
        """Record which process answered, by the stand-in's header."""
        found = _PROCESS.fullmatch(dict(reply.headers).get(seal.PID_HEADER, ""))
        if found:
            self._entry.pid = int(found[1])
            self._machine.note_answer(self._entry.pid, float(found[2]), time.time())


CONNECTIONS = 512
"""The most connections: more than the threads that call at the same time."""

_KEEPALIVE_SECONDS = 2.0
"""Less than common servers wait (5), so a server seldom closes a connection during a call."""


class HttpChannel:
    """Posts sealed calls to programs.

    Args:
        connect_timeout: Seconds.
        call_timeout: Seconds to wait for each read and write.
    """

    def __init__(self, connect_timeout: float, call_timeout: float) -> None:
        self._limit = call_timeout
        self._connect_limit = connect_timeout
        self._client = httpx.Client(
            verify=trusted(),
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(
                max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS, keepalive_expiry=_KEEPALIVE_SECONDS
            ),
        )

    def post(self, url: str, headers: Mapping[str, str], body: str, limit: float | None = None) -> ProgramReply:
        """Send one sealed call.

        Args:
            url: Where the program listens.
            headers: The headers of the seal.
            body: The sealed text.
            limit: Seconds to wait for each read and write; the channel's own when None.

        Raises:
            ChannelConnectError: No connection.
            ChannelTimeoutError: No reply in time.
            ChannelLostError: The connection was cut.
        """
        content_type = {"content-type": "text/plain; charset=utf-8"}
        try:
            response = self._client.post(
                url,
                headers={**content_type, **headers},
                content=body.encode(),
                timeout=httpx.Timeout(limit or self._limit, connect=self._connect_limit),
            )
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise ChannelConnectError(type(error).__name__) from None
        except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
            raise ChannelLostError(type(error).__name__) from None
        except httpx.HTTPError as error:
            raise ChannelTimeoutError(type(error).__name__) from None
        return ProgramReply(response.status_code, response.headers.multi_items(), response.content)

    def close(self) -> None:
        """Close every connection."""
        self._client.close()
