"""A base image with CPython 3.12, made here: Debian by debootstrap, and this machine's own Python."""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.support.skips import only_where
from tests.support.tools import tool

NAME = "localhost/wwspec-test-base:3.12"
"""What the base is called in the storage of `Storage`."""
_LEFT_OUT = ("__pycache__", "*.a", "test", "idlelib", "tkinter", "_tkinter*", "site-packages", "ensurepip", "pkgconfig")


class Storage:
    """A store of images of its own in a folder, so that nothing is left among those of the user."""

    def __init__(self, folder: Path) -> None:
        only_where(shutil.which("dpkg-query") is not None, "the system is Debian")
        only_where(os.getuid() == 0, "the user is root, for debootstrap and chroot")
        only_where(sys.version_info[:2] == (3, 12), "this Python is 3.12, as it is copied into the base")
        only_where(sys.base_prefix != "/usr", "this Python is in a folder of its own, which is copied into the base")
        for name in ("buildah", "debootstrap", "gcc"):
            tool(name)
        self._folder = folder
        configuration = folder / "storage.conf"
        text = f'[storage]\ndriver = "overlay"\ngraphroot = "{folder}/images"\nrunroot = "{folder}/run"\n'
        configuration.write_text(text, "utf-8")
        # Here buildah may neither make cgroups nor raise limits, as in most containers.
        self.env = {**os.environ, "CONTAINERS_STORAGE_CONF": str(configuration), "BUILDAH_ISOLATION": "chroot"}
        limits = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}
        self.limits = [
            word
            for name, number in limits.items()
            for word in ("--ulimit", "{}={}:{}".format(name, *resource.getrlimit(number)))
        ]

    def make_base(self) -> None:
        context = self._folder / "base"
        root = context / "root"
        context.mkdir()
        suite, mirror = _release()
        libraries = ",".join(sorted(_packages()))
        _run("debootstrap", "--variant=minbase", f"--include={libraries}", suite, str(root), mirror)
        for name in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale", "usr/share/man"):
            shutil.rmtree(root / name, ignore_errors=True)
        _copy_python(root / "usr/local")
        _run("chroot", str(root), "/sbin/ldconfig")
        (context / "Dockerfile").write_text("FROM scratch\nCOPY root /\n", "utf-8")
        _run("buildah", "build", "--tag", NAME, str(context), env=self.env)
        shutil.rmtree(root)


def _release() -> tuple[str, str]:
    listed = _run("apt-get", "indextargets", "--format", "$(LABEL) $(CODENAME) $(REPO_URI)", "Created-By: Packages")
    rows = (line.split() for line in listed.splitlines())
    return next((row[1], row[2]) for row in rows if row[0] == "Debian" and "-" not in row[1])


def _packages() -> Iterator[str]:
    modules = Path(sys.base_prefix) / "lib/python3.12/lib-dynload"
    files = [Path(sys.executable).resolve(), *(each for each in modules.glob("*.so") if "_tkinter" not in each.name)]
    loaded = {
        str(Path(words[2]).resolve())
        for line in _run("ldd", *map(str, files)).splitlines()
        if len(words := line.split()) > 2 and words[1] == "=>"
    }
    for file in loaded:
        if not Path(file).is_relative_to(sys.base_prefix):
            yield _run("dpkg-query", "--search", file).partition(":")[0]


def _copy_python(target: Path) -> None:
    source = Path(sys.base_prefix)
    leave_out = shutil.ignore_patterns(*_LEFT_OUT)
    shutil.copytree(source / "include", target / "include", dirs_exist_ok=True)  # the image compiles with it
    shutil.copytree(source / "lib", target / "lib", ignore=leave_out, symlinks=True, dirs_exist_ok=True)
    site = Path("lib/python3.12/site-packages")
    shutil.copytree(source / site / "pip", target / site / "pip")
    shutil.copy(source / "bin/python3.12", target / "bin/python3.12")
    (target / "bin/python3").symlink_to("python3.12")


def _run(*command: str, env: dict[str, str] | None = None) -> str:
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    env = {**(env or os.environ), "PATH": path}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr}"
    return done.stdout
