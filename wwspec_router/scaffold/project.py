"""Makes the folder of a new application from a template.

Most of the template are files of the repository's own program. The wheel carries them in `_template/`; an editable
install reads them from the repository. What only a new application needs is in `files/`, beside this module.
"""

import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from wwspec_router.errors import ConfigurationError
from wwspec_router.scaffold.framework import WHEELS, framework_requirements

REPOSITORY_FILES = {
    ".gitignore": ".gitignore",
    "abilities/__init__.py": "abilities/__init__.py",
    "abilities/chat_digest.py": "abilities/chat_digest.py",
    "abilities/group_overview.py": "abilities/group_overview.py",
    "run.sh": "run.sh",
    "schemas/__init__.py": "schemas/__init__.py",
    "schemas/chat_digest.py": "schemas/chat_digest.py",
    "schemas/group_overview.py": "schemas/group_overview.py",
    "sdk/README.md": "sdk/README.md",
    "tests/test_chat_digest.py": "tests/abilities/test_chat_digest.py",
    "tests/test_group_overview.py": "tests/abilities/test_group_overview.py",
}
"""The repository's files of a new application: by their path there, the path in the repository."""

_PACKAGE = Path(__file__).parents[1]
_OWN = Path(__file__).parent / "files"

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
    bundled = _PACKAGE / "_template"
    repository = bundled if bundled.is_dir() else _PACKAGE.parent
    sources = {path: repository / source for path, source in REPOSITORY_FILES.items()}
    sources |= {path.relative_to(_OWN).as_posix(): path for path in _OWN.rglob("*") if path.is_file()}
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
