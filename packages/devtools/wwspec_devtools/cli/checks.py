"""What `wwspec doctor` checks of the tools of a developer, as entry points."""

from collections.abc import Iterator
from contextlib import suppress

from wwspec_contracts.errors import RegistryError
from wwspec_devtools.cli.emulator_options import DEFAULTS
from wwspec_devtools.image.build import missing_files
from wwspec_devtools.image.missing_files import lacking
from wwspec_router.cli.ports import Listener, port_finding
from wwspec_router.config import Setting, Settings, Topic, variable
from wwspec_router.config.reading import find
from wwspec_router.findings import Finding, State, extra_finding
from wwspec_router.registry.file import parse_registry

EMULATOR_PORT = Setting("", Topic.NETWORK, "emulator_port", DEFAULTS.port, least=1, most=65535)


def emulator(settings: Settings) -> Iterator[Finding]:
    """Yield whether the emulator can run here, and the zone of tests."""
    yield extra_finding("testing", State.FIX, "the pytest fixture zone")
    found = find(EMULATOR_PORT, {})
    port = DEFAULTS.port if found is None else found.value
    yield port_finding(Listener.EMULATOR, port, f"--emulator-port or {variable('emulator-port')}")


def image(settings: Settings) -> Iterator[Finding]:
    """Yield what the image lacks."""
    app, found = settings.app, []
    if (app / "run.sh").is_file() and not any((app / name).is_file() for name in ("Dockerfile", ".dockerignore")):
        yield Finding(State.OK, "image", f"{app} is the folder of an image, or a copy of it")
        return
    if missing := missing_files(app):
        found.append(f"{app} lacks {', '.join(missing)}: take those of `wwspec new`")
    with suppress(RegistryError):  # which has a line of its own
        found += lacking(app, parse_registry(settings.registry_path)[0])
    yield from (Finding(State.PRODUCTION, "image", text) for text in found)
    if not found:
        yield Finding(State.OK, "image", f"the files that it is made of are in {app}")
