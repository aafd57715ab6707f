"""Builds the image of a program and exports it as WeCom's console takes it: a tar of the flat root file system.

`docker export` writes such a tar; the console refuses the layers of `docker save`.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from wwspec_contracts.errors import ImageError
from wwspec_devtools.image.engine import Engine, EngineError, find_engine
from wwspec_router.config.reading import find_registry
from wwspec_router.sdk.vendor import MODULE

TAG = "wwspec-zone-program"
"""The image's name in the engine."""
_BASE = re.compile(r"^ARG BASE_IMAGE=(\S+)", re.MULTILINE)
_NEEDED = ("Dockerfile", ".dockerignore", "run.sh")
_WHEEL = re.compile(r"^\./(\S+\.whl)", re.MULTILINE)
"""A file of the program's folder that its requirements name."""


class Order(NamedTuple):
    """What to build.

    Attributes:
        app: The program's folder.
        output: Where the tar goes.
        base: A base image other than the Dockerfile's.
        index_url: A mirror of the Python package index.
        options: Further options of the engine's `build`.
        engine: The engine; by default the first that works.
    """

    app: Path
    output: Path
    base: str | None = None
    index_url: str | None = None
    options: Sequence[str] = ()
    engine: str | None = None


def build_image(order: Order, say: Callable[[str], None]) -> None:
    """Build and export.

    Args:
        order: What to build.
        say: Takes a line about each step.

    Raises:
        ImageError: Something is missing, or a step failed; no file is left behind.
    """
    base = _checked_base(order)
    engine = find_engine(order.engine)
    if not any((order.app / "sdk").glob(f"{MODULE}*.so")):
        say(
            f"warning: sdk/{MODULE}.so is missing, so this image will refuse to start: put the vendor's there "
            "(WeCom document 100057)"
        )
    with _draft(order.output) as tar:
        say(f"building {order.app} on {base} with {engine.name}")
        image = _build(engine, order, base)
        say(f"exporting the flat root file system to {order.output}")
        engine.export(image, tar)
        tar.replace(order.output)


def missing_files(app: Path) -> list[str]:
    """Return the files that an image needs and a program's folder does not have."""
    requirements = app / "requirements.txt"
    wheels = _WHEEL.findall(requirements.read_text("utf-8", "replace")) if requirements.is_file() else []
    return [name for name in (*_NEEDED, *wheels) if not (app / name).is_file()]


def _checked_base(order: Order) -> str:
    """Check that the folder has all files of an image, and return the base image."""
    app = order.app
    if missing := missing_files(app):
        raise ImageError(
            f"{app} lacks {', '.join(missing)}: name the program's folder with --app, or take the "
            f"files that `wwspec new` makes{' with --wheels' * any(name.endswith('.whl') for name in missing)}"
        )
    if not (registry := find_registry(app)).is_file():
        raise ImageError(f"no {registry}: name the program's folder with --app")
    found = _BASE.search((app / "Dockerfile").read_text("utf-8"))
    if found is None:
        raise ImageError(f"{app / 'Dockerfile'} has no line ARG BASE_IMAGE=…: take the one that `wwspec new` makes")
    return order.base or found[1]


def _build(engine: Engine, order: Order, base: str) -> str:
    arguments = [f"BASE_IMAGE={base}"] if order.base else []
    arguments += [f"PIP_INDEX_URL={order.index_url}"] if order.index_url else []
    options = [word for each in arguments for word in ("--build-arg", each)]
    try:
        return engine.build(order.app, [*options, "--tag", TAG, *order.options])
    except EngineError as error:
        raise ImageError(
            f"{error}; see its last lines. If {base} can't be pulled, name another base with --base; "
            "if packages can't be downloaded, name a mirror with --index-url"
        ) from None


@contextmanager
def _draft(file: Path) -> Iterator[Path]:
    """Check that a file can be written, and yield a temporary name for it. No temporary file is left behind."""
    draft = file.with_name(f"{file.name}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft.touch()
        draft.unlink()
        yield draft
    except OSError as error:
        raise ImageError(f"{file}: can't be written: {error.strerror or error}") from None
    finally:
        draft.unlink(missing_ok=True)
