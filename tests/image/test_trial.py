"""`wwspec image --check --start`: a program that tries to leave its sandbox, as root and as an ordinary user."""

import os
import platform
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.image_tars import Item, image, link, write_tar
from tests.support.skips import only_where
from tests.support.tools import MissingToolError, tool
from wwspec_router.image.inspection import inspect_tar

needs_bwrap = pytest.mark.usefixtures("bwrap")

ESCAPE = r"""
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void write_outside(const char *before) {
    char path[4096];
    snprintf(path, sizeof path, "%s%s", before, OUTSIDE "/escaped");
    int file = open(path, O_WRONLY | O_CREAT, 0666);
    if (file >= 0) write(file, "escaped", 7);
}

static void leave_chroot(void) {
    int start = open(".", O_RDONLY | O_DIRECTORY);
    mkdir("/tmp/cage", 0777);
    mkdir("/app/var/cage", 0777);
    if (chroot("/tmp/cage") && chroot("/app/var/cage")) return;
    fchdir(start);
    for (int step = 0; step < 500; step++) chdir("..");
    chroot(".");
    write_outside("");
}

static void through_open_files(void) {
    char up[4096] = "";
    for (int step = 0; step < 60; step++) strcat(up, "../");
    for (int number = 0; number < 256; number++) {
        if (fchdir(number) == 0) write_outside(up);
    }
    chdir("/");
}

int main(void) {
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    write_outside("");
    write_outside("/proc/1/root");
    through_open_files();
    connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&here, sizeof here);
    kill(PROCESS, SIGKILL);
    mount("none", "/", 0, MS_REMOUNT | MS_BIND, 0);  // nothing that a trusted program could mount and leave
    leave_chroot();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) leave_chroot();
    return 0;
}
"""
"""Does what it can to write, connect and kill outside, and ends as if nothing was."""
LIMITS = r"""
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static char block[1 << 20];

static int fill(FILE *file) {
    int done = 0;
    setbuf(file, 0);
    while (file && done < 500 && fwrite(block, 1, sizeof block, file) == sizeof block) done++;
    return done;
}

int main(void) {
    int processes = 0, gigabytes = 0;
    signal(SIGXFSZ, SIG_IGN);
    while (gigabytes < 64 && mmap(0, 1 << 30, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) gigabytes++;
    for (; processes < 2000; processes++) {
        int child = fork();
        if (child == 0) for (;;) pause();
        if (child < 0) break;
    }
    fprintf(stderr, "root %d, processes %d, GiB %d, MiB %d, printed %d, writes %d\n",
        getuid(), processes, gigabytes, fill(fopen("/tmp/filling", "w")), fill(stdout), access("/app", W_OK) == 0);
    return 1;
}
"""
"""Takes what it gets, and says how much that was."""


@pytest.fixture(autouse=True)
def machine() -> None:
    """The programs of these images are compiled here, for Linux."""
    only_where(platform.system() == "Linux" and platform.machine() == "x86_64", "the machine is Linux on x86_64")
    tool("gcc")


@pytest.fixture
def bwrap() -> str:
    """What confines them, and may do so here: a container, or a chroot, often makes no namespaces."""
    command = tool("bwrap")
    if subprocess.run([command, "--unshare-user", "--ro-bind", "/", "/", "true"], capture_output=True).returncode:
        raise MissingToolError("user namespaces")
    return command


@pytest.fixture(params=["root", "an ordinary user"])
def user(request: pytest.FixtureRequest) -> int:
    """Who starts the program."""
    if request.param == "root":
        only_where(os.geteuid() == 0, "the user is root")
        return 0
    return 4711 if os.geteuid() == 0 else os.geteuid()


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that an ordinary user can reach."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def outside(place: Path) -> Path:
    """A folder into which anybody may write, so that only the sandbox is in the way."""
    folder = place / "outside"
    folder.mkdir()
    folder.chmod(0o777)
    return folder


def tar_of(place: Path, source: str, **defined: object) -> Path:
    """Return the tar of an image whose bash and env are this program."""
    (place / "program.c").write_text(source)
    options = [f"-D{name}={value}" for name, value in defined.items()]
    command: list[str | Path] = ["gcc", "-static", "-w", *options, place / "program.c", "-o", place / "program"]
    subprocess.run(command, check=True)
    program = Item((place / "program").read_bytes(), 0o755)
    return write_tar(place / "zone.tar", image() | {"usr/bin/bash": program, "usr/bin/env": program})


def lines_of_a_start(tar: Path, user: int, *, trust: bool = False) -> list[str]:
    """Check a tar and start its program as a user; return the lines about that."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            if user != os.geteuid():
                os.setgroups([])
                os.setgid(user)
                os.setuid(user)
            report = inspect_tar(tar, lambda line: None, start=True, trust=trust)
            os.write(writing, "\n".join(report.lines()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as answer:
        lines = answer.read().splitlines()
    os.waitpid(process, 0)
    names = [line.split()[1] for line in lines]
    return lines[names.index("secrets") + 1 :]


class Attacked(NamedTuple):
    """What a program tries to reach."""

    lines: list[str]
    written: list[str]
    killed: bool
    connected: bool


def attack(place: Path, outside: Path, user: int, *, trust: bool = False) -> Attacked:
    """Start a tar whose program attacks what is outside, and return what it reached."""
    command = ["sleep", "100"]
    victim = subprocess.Popen(command, user=None if user == os.geteuid() else user)
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.setblocking(False)
            defined = {"OUTSIDE": f'"{outside}"', "PORT": server.getsockname()[1], "PROCESS": victim.pid}
            lines = lines_of_a_start(tar_of(place, ESCAPE, **defined), user, trust=trust)
            try:
                server.accept()[0].close()
                connected = True
            except BlockingIOError:
                connected = False
        return Attacked(lines, [each.name for each in outside.iterdir()], victim.poll() is not None, connected)
    finally:
        victim.kill()
        victim.wait()


@needs_bwrap
def test_a_program_reaches_nothing_outside_of_the_sandbox(place: Path, outside: Path, user: int) -> None:
    attacked = attack(place, outside, user)
    assert [line.split()[:2] for line in attacked.lines[:4]] == [
        ["ok", name] for name in ("starts", "loads", "crypto", "SDK")
    ]
    assert attacked[1:] == ([], False, False)
    assert sorted(each.name for each in place.iterdir()) == ["outside", "program", "program.c", "zone.tar"]


@needs_bwrap
def test_a_program_that_is_trusted_reaches_all_that_the_user_can(place: Path, outside: Path, user: int) -> None:
    """So the attack above is one."""
    assert attack(place, outside, user, trust=True)[1:] == (["escaped"], True, True)


@needs_bwrap
def test_a_program_gets_so_much_and_no_more(place: Path, user: int) -> None:
    [line, _] = lines_of_a_start(tar_of(place, LIMITS), user)
    found = re.search(r"root (\d+), processes (\d+), GiB (\d+), MiB (\d+), printed (\d+), writes (\d)", line)
    assert found is not None, line
    uid, processes, gigabytes, file, printed, writes = map(int, found.groups())
    assert (uid, gigabytes, writes) == (0, 3, 0)
    assert 20 < processes < 140
    assert file <= 64
    assert printed <= 64


def test_without_bubblewrap_nothing_is_started(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "bin").mkdir()
    monkeypatch.setenv("PATH", str(place / "bin"))
    monkeypatch.setattr("wwspec_router.image.sandbox._SEARCHED", "")
    [line, _] = lines_of_a_start(write_tar(place / "zone.tar", image()), os.geteuid())
    assert line.startswith("fault  trial     not started: needs bubblewrap (bwrap), which confines the program: `apt ")
    assert "--trust" in line


@needs_bwrap
def test_a_tar_that_can_not_be_extracted_is_not_started(place: Path) -> None:
    [line, _] = lines_of_a_start(write_tar(place / "zone.tar", image() | {"tmp": link("/etc")}), os.geteuid())
    assert line == "fault  trial     not started: /tmp is a symbolic link, where a folder must be"


@needs_bwrap
def test_where_bubblewrap_may_not_work_the_line_says_so(place: Path) -> None:
    tar = write_tar(place / "zone.tar", image())
    without = ["bwrap", "--dev-bind", "/", "/", "--unshare-user", "--uid", "1000", "--disable-userns"]
    command = [*without, sys.executable, "-m", "wwspec_router", "image", "--check", str(tar), "--start"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    [line] = [line for line in done.stdout.splitlines() if line.startswith("fault")]
    assert done.returncode == 1
    assert line.startswith("fault  trial     not started: bubblewrap does not work here (bwrap: ")
    assert line.endswith("started without bubblewrap by --trust")
