"""`wwspec demo` when somebody takes one of its ports between the check and the start of what needs it."""

import os
import re
import sys
from pathlib import Path

import pytest

from tests.support.apps import ROOT, write_files
from tests.support.command import Done
from tests.support.processes import finished
from tests.support.tools import MissingToolError, tool

pytestmark = pytest.mark.slow  # starts program and emulator in new interpreters

STRANGER = """
from http.server import BaseHTTPRequestHandler, HTTPServer
from sys import argv

class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")

with HTTPServer(("127.0.0.1", int(argv[1])), Answers) as server:
    print("listens", flush=True)
    server.serve_forever()
"""
START = """
import os, subprocess, sys

verb, port = os.environ["TAKEN"].split()
if sys.orig_argv[3:4] == [verb]:
    command = [sys.executable, "-S", os.environ["STRANGER"], port]
    stranger = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
    stranger.stdout.readline()
"""
"""What each Python runs when it starts: where that is the start of the verb, the stranger takes the port."""


def demo(folder: Path, verb: str, port: int, *options: str) -> Done:
    """Run `wwspec demo` on a network of its own, where the stranger takes a port when `wwspec <verb>` starts."""
    apart = [tool("bwrap"), "--dev-bind", "/", "/", "--proc", "/proc", "--unshare-net", "--unshare-pid"]
    if finished(*apart, "true").returncode:
        raise MissingToolError("user namespaces")
    write_files(folder, {"sitecustomize.py": START, "stranger.py": STRANGER})
    variables = {"TAKEN": f"{verb} {port}", "STRANGER": str(folder / "stranger.py"), "PYTHONPATH": str(folder)}
    command = [*apart, "--die-with-parent", sys.executable, "-m", "wwspec_router", "demo", *options]
    return finished(*command, cwd=ROOT, env=os.environ | variables)


@pytest.mark.parametrize(("verb", "port"), [("emulate", 8090), ("serve", 8080)])
def test_once_it_takes_other_ports(tmp_path: Path, verb: str, port: int) -> None:
    done = demo(tmp_path, verb, port, "--once")
    assert done.returncode == 0, done.stderr
    urls = re.findall(r"^(?:program|emulator) +http://127.0.0.1:(\d+)", done.stdout, re.MULTILINE)
    assert len({*urls, "8080", "8090"}) == 4
    assert re.search(r"\d+ messages in \d+ pages", done.stdout)


@pytest.mark.parametrize(("verb", "option", "port"), [("emulate", "--emulator-port", 8090), ("serve", "--port", 8080)])
def test_else_it_names_who_has_the_port(tmp_path: Path, verb: str, option: str, port: int) -> None:
    done = demo(tmp_path, verb, port)
    assert (done.returncode, done.stdout) == (1, "")
    who = rf"something other .* as process \d+ in {re.escape(str(ROOT))} \(.+\)"  # a long command line is cut
    fix = rf"end it, or choose another port, such as {option} \d+"
    assert re.fullmatch(rf"Error: port {port} is taken, so nothing was started: {who}; {fix}\n", done.stderr)
