"""An editor, as far as a debug adapter sees one: it speaks the Debug Adapter Protocol to debugpy."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from io import BufferedRWPair
from pathlib import Path
from typing import IO, Any

from tests.support.processes import alive
from tests.support.waiting import DEADLINE, wait_until

Json = dict[str, Any]


class Editor:
    """Launches a program under debugpy as a `launch.json` says, and attaches to each process that the program starts.

    It stops in these lines of files, a log takes what the program prints, and the stack ends all of it.
    """

    def __init__(self, launch: Json, lines: Mapping[Path, list[int]], log: Path, stack: ExitStack) -> None:
        self._lines, self._log, self._stack = lines, log, stack
        self.stops: list[tuple[Session, Json]] = []
        """Each process that stopped, with the body of the event."""
        adapter = stack.enter_context(
            subprocess.Popen([sys.executable, "-m", "debugpy.adapter"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        )
        stack.callback(adapter.kill)
        assert adapter.stdin is not None
        assert adapter.stdout is not None
        self.main = Session(self, adapter.stdout, adapter.stdin)
        self.main.begin("launch", {**launch, "python": [sys.executable]}, lines)

    def on_event(self, session: "Session", name: str, body: Json) -> None:
        if name == "stopped":
            self.stops.append((session, body))
        elif name == "process" and session is self.main:  # which outlives what started it in the terminal
            self._stack.callback(_terminate, body["systemProcessId"])
        elif name == "debugpyAttach":
            where = body["connect"]["host"], body["connect"]["port"]
            connection = self._stack.enter_context(socket.create_connection(where))
            stream = self._stack.enter_context(connection.makefile("rwb"))
            child = Session(self, stream, stream)
            self._stack.callback(child.reading.join, DEADLINE)
            self._stack.callback(_hang_up, connection)
            threading.Thread(target=child.begin, args=("attach", body, self._lines), daemon=True).start()

    def run_in_terminal(self, arguments: Json) -> Json:
        """Start what the adapter wants to run in the editor's terminal."""
        environment = {**os.environ, **{name: text for name, text in arguments.get("env", {}).items() if text}}
        with self._log.open("ab") as log:
            started = subprocess.Popen(arguments["args"], cwd=arguments["cwd"], env=environment, stdout=log, stderr=log)
        self._stack.callback(started.wait, DEADLINE)
        self._stack.callback(started.terminate)
        return {"processId": started.pid}


class Session:
    """The talk about one process."""

    def __init__(self, editor: Editor, reader: IO[bytes] | BufferedRWPair, writer: IO[bytes] | BufferedRWPair) -> None:
        self._editor, self._reader, self._writer = editor, reader, writer
        self._sent = 0
        self._lock = threading.Lock()
        self._responses: dict[int, Json] = {}
        self._is_initialized = threading.Event()
        self.reading = threading.Thread(target=self._keep_reading, daemon=True)
        self.reading.start()

    def begin(self, request: str, arguments: Json, lines: Mapping[Path, list[int]]) -> None:
        """Say who asks, what to debug, and where to stop."""
        asked = {"adapterID": "debugpy", "pathFormat": "path", "supportsRunInTerminalRequest": True}
        self.ask("initialize", asked)
        begun = self._send("request", command=request, arguments=arguments)
        assert self._is_initialized.wait(DEADLINE)
        for file, numbers in lines.items():
            breakpoints = [{"line": number} for number in numbers]
            self.ask("setBreakpoints", {"source": {"path": str(file)}, "breakpoints": breakpoints})
        self.ask("configurationDone", {})
        self._response(begun)

    def ask(self, command: str, arguments: Json) -> Json:
        return self._response(self._send("request", command=command, arguments=arguments))

    def _response(self, number: int) -> Json:
        wait_until(lambda: number in self._responses)
        response = self._responses[number]
        assert response["success"], response
        body: Json = response.get("body") or {}
        return body

    def _send(self, kind: str, **fields: Any) -> int:
        with self._lock:
            self._sent += 1
            body = json.dumps({"seq": self._sent, "type": kind, **fields}).encode()
            self._writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            self._writer.flush()
            return self._sent

    def _keep_reading(self) -> None:
        with suppress(OSError, ValueError):  # the other side has ended
            while head := self._reader.readline():
                length = int(head.partition(b":")[2])
                self._reader.readline()
                self._receive(json.loads(self._reader.read(length)))

    def _receive(self, message: Json) -> None:
        if message["type"] == "response":
            self._responses[message["request_seq"]] = message
        elif message["type"] == "request":
            body = self._editor.run_in_terminal(message["arguments"])
            self._send("response", request_seq=message["seq"], success=True, command=message["command"], body=body)
        elif message["event"] == "initialized":
            self._is_initialized.set()
        else:
            self._editor.on_event(self, message["event"], message.get("body") or {})


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):  # the other side was first
        connection.shutdown(socket.SHUT_RDWR)


def _terminate(process: int) -> None:
    with suppress(ProcessLookupError):  # it has ended by itself
        os.kill(process, signal.SIGTERM)
        wait_until(lambda: not alive(process))
