"""Makes the folder of a new application from a template.

The template is in `files/`, beside this module. Some of it are copies of files of the repository's own program; a test
compares them.
"""

import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.scaffold.framework import WHEELS, framework_requirements

_FILES = Path(__file__).parent / "files"

_NAME = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*")
"""An image's name for container engines, without registry and folders."""
_LONGEST_NAME = 64


def project_files(name: str, wheels: Sequence[Path] = ()) -> dict[str, str]:
    """Return the files of a new application: path -> text.

    Args:
        name: Of the application and its image.
        wheels: The framework's wheels for the application; see `find_wheels`.

    Raises:
        ConfigurationError: The name can't be that of a folder and an image.
    """
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise ConfigurationError(
            f"{name!r} can't name a folder and an image: use up to {_LONGEST_NAME} lower-case letters and digits, with "
            "single . or _ or with - between them, such as chat-report"
        )
    files = (path for path in _FILES.rglob("*") if path.is_file() and path.suffix != ".pyc")  # which pip compiles
    sources = {path.relative_to(_FILES).as_posix(): path for path in files}
    names = [wheel.name for wheel in wheels]
    marks = {"__NAME__": name}
    marks |= {f"__FRAMEWORK[{extra}]__": framework_requirements(extra, names) for extra in ("zone", "dev")}
    return {path: _filled(source.read_text("utf-8"), marks) for path, source in sorted(sources.items())}


def make_project(folder: Path, files: Mapping[str, str], wheels: Sequence[Path] = ()) -> None:
    """Write a new application's files: all of them, or on an error none.

    Args:
        folder: Must not exist yet, or be empty.
        files: Text by path in the folder.
        wheels: Files to copy into its wheels/.

    Raises:
        ConfigurationError: The folder holds something, or can't be made.
    """
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ConfigurationError(f"{folder}: exists already and is not an empty folder; choose another name")
        if not folder.parent.is_dir():
            raise ConfigurationError(
                f"{folder.parent}: there is no such folder to make {folder.name} in; make it first"
            )
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as scratch:
            draft = Path(scratch) / folder.name
            for path, text in files.items():
                target = draft / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, "utf-8")
                if text.startswith("#!"):
                    target.chmod(target.stat().st_mode | 0o111)
            for wheel in wheels:
                (draft / WHEELS).mkdir(exist_ok=True)
                shutil.copyfile(wheel, draft / WHEELS / wheel.name)
            draft.rename(folder)
    except OSError as error:
        raise ConfigurationError(f"{folder}: can't be made: {error.strerror}") from None


def _filled(text: str, marks: Mapping[str, str]) -> str:
    for mark, value in marks.items():
        text = text.replace(mark, value)
    return text
