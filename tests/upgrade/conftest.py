"""Each release of `data/`, unpacked, with a project of its own; and an emulator for programs of both codes."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import pytest

from tests.support.apps import ROOT
from tests.support.command import wwspec
from tests.support.never_lost import pytest_itemcollected as pytest_itemcollected
from tests.support.redis_server import local_redis
from tests.upgrade.releases import DATA, NEW, Code, Release, unpacked
from wwspec_router.host.child import Child
from wwspec_router.testing.zone import Zone


@pytest.fixture(scope="session", params=sorted(path.name for path in DATA.iterdir()))
def release(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Release:
    """An earlier release; its project is made by its own `wwspec new`."""
    folder = tmp_path_factory.mktemp("release")
    data = DATA / request.param
    code = unpacked(data, folder / "code")
    imported = code.run("-c", "import wwspec_router; print(wwspec_router.__file__)", cwd=ROOT)
    assert Path(imported).is_relative_to(code.folder), "an older release is not tested by this code"
    code.wwspec("new", "shop", cwd=folder)
    app = folder / "app"
    shutil.copytree(folder / "shop", app)
    shutil.copytree(data / "app", app, dirs_exist_ok=True)
    return Release(data, code, folder / "shop", app)


@pytest.fixture(scope="session")
def emulator(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zone]:
    """The emulator of this code, which knows the abilities of the application; no program runs yet."""
    folder = tmp_path_factory.mktemp("emulator")
    with ExitStack() as stack:
        child = NEW.start(["emulate", "--port", "0"], folder / "emulator.log")
        stack.callback(child.stop)
        url = child.announced_url()
        registered = wwspec(release.app, "zone", "register", "--url", url)
        assert registered.returncode == 0, registered.stderr
        yield stack.enter_context(Zone.connect(url, release.app))


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("redis", marks=pytest.mark.slow),  # starts a server and two programs, for the same as over SQLite
    ]
)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a store that has nothing yet."""
    if request.param == "sqlite":
        yield f"sqlite:{tmp_path / 'notify.db'}"
    else:
        with local_redis(tmp_path) as server:
            yield server.url


class Programs:
    """Programs of both codes, called through one emulator, over one store; a context manager that ends them.

    Args:
        zone: The emulator.
        app: The application of all.
        store: The URL of their store.
        folder: For what their handlers note, and for logs.
    """

    def __init__(self, zone: Zone, app: Path, store: str, folder: Path) -> None:
        self.zone = zone
        self._app = app
        self._store = store
        self._folder = folder
        self._running: dict[Code, tuple[Child, str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
        for child, _url in self._running.values():
            child.stop()

    def start(self, code: Code, *options: str) -> None:
        """Start a program; calls go to it from now on."""
        arguments = ["serve", "--sdk", "emulator", "--app", str(self._app), "--port", "0", "--store", self._store]
        variables = {"WWSPEC_EMULATOR_URL": self.zone.client.url, "UPGRADE_FOLDER": str(self._folder)}
        child = code.start([*arguments, *options], self._folder / f"{code.release}.log", **variables)
        self._running[code] = child, ""
        url = child.announced_url()
        self._running[code] = child, url
        child.wait_ready(f"{url}/readyz")
        self.call(code)

    def kill(self, code: Code) -> None:
        """End a program as a crash does."""
        child, _url = self._running.pop(code)
        child.kill()

    def call(self, code: Code) -> Zone:
        """Let calls and events go to the program of this code."""
        _child, url = self._running[code]
        self.zone.client.point_to(url)
        return self.zone

    def hold(self) -> None:
        """Let handlers wait from now on."""
        (self._folder / "hold").touch()

    def release(self) -> None:
        """Let handlers go on."""
        (self._folder / "hold").unlink(missing_ok=True)

    def begun(self) -> list[str]:
        """Return which handlers have begun, each with the code that ran it, such as `work old`."""
        file = self._folder / "begun"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def programs(emulator: Zone, release: Release, store: str, tmp_path: Path) -> Iterator[Programs]:
    """Programs over an empty store; none runs yet."""
    with Programs(emulator, release.app, store, tmp_path) as programs:
        yield programs
