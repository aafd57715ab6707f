"""What the modules of an application import, read from their source: nothing is run.

Imports for type checkers only, and those whose absence the module handles, are left out.
"""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

_OPTIONAL = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
_FRAMEWORK = ("wwspec_router", "wwspec_contracts")


class Place(NamedTuple):
    """Where a file or a module is needed."""

    file: str
    """Path in the application's folder."""
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Sources:
    """Follows the imports of an application, from some of its modules on.

    Args:
        app: Its folder.
        modules: The names of the first modules, and where they are named.
    """

    def __init__(self, app: Path, modules: Iterable[tuple[str, str]]) -> None:
        self._app = app
        self.files: dict[str, str] = {}
        """The files of the modules, and where each is named first."""
        self.others: dict[str, Place] = {}
        """The top-level names of modules that are not in the folder, and where each is imported first."""
        for name, place in modules:
            self._add(name, place)

    def _add(self, name: str, place: str) -> None:
        """Add a module of the folder, the packages that it is in, and what they import."""
        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            path = "/".join(parts[:end])
            file = next((each for each in (f"{path}.py", f"{path}/__init__.py") if (self._app / each).is_file()), None)
            if file is not None and file not in self.files:
                self.files[file] = place
                self._follow(file)

    def _follow(self, file: str) -> None:
        try:
            tree = ast.parse((self._app / file).read_bytes())
        except (SyntaxError, ValueError):  # the import itself reports it
            return
        package = (
            file.removesuffix("/__init__.py").split("/") if file.endswith("/__init__.py") else file.split("/")[:-1]
        )
        for names, line in _imports(tree, package):
            top = names[0].partition(".")[0]
            if top in _FRAMEWORK:
                continue
            place = Place(file, line)
            if (self._app / top).is_dir() or (self._app / f"{top}.py").is_file():
                for name in names:
                    self._add(name, str(place))
            else:
                self.others.setdefault(top, place)


def _imports(tree: ast.AST, package: list[str]) -> Iterator[tuple[list[str], int]]:
    """Yield the modules that each import may load, and its line."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (([each.name], node.lineno) for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            if module:
                yield [module, *(f"{module}.{each.name}" for each in node.names)], node.lineno
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from _imports(ast.Module(node.orelse, []), package)
        elif isinstance(node, ast.Try) and any(map(_handles_absence, node.handlers)):
            yield from _imports(ast.Module([*node.orelse, *node.finalbody], []), package)
        else:
            yield from _imports(node, package)


def _handles_absence(handler: ast.ExceptHandler) -> bool:
    caught = [handler.type] if handler.type is not None and not isinstance(handler.type, ast.Tuple) else []
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else caught
    return handler.type is None or any(ast.unparse(each).rpartition(".")[2] in _OPTIONAL for each in caught)
