"""The blocks of the documentation's pages, in their order."""

import re
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

__all__ = ["Block", "blocks_of_page"]

ADDED = "add to "


class Block(NamedTuple):
    page: Path
    line: int
    language: str
    text: str

    @property
    def is_file(self) -> bool:
        """Whether the block is a file, which its first line names."""
        return self.language in ("python", "toml", "json")

    @property
    def place(self) -> str:
        return f"{self.page.name}:{self.line}"

    def write(self, app: Path) -> Path:
        """Write the file of the block to its path below a folder.

        What is in TOML is added to a file that is there. So is Python code whose first line says `# add to FILE`; its
        imports go to the top of the file.
        """
        first, _, rest = self.text.partition("\n")
        name = first.lstrip("#/ ")
        path = app / name.removeprefix(ADDED)
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.startswith(ADDED):
            imports = "".join(takewhile(lambda line: line.strip(), rest.splitlines(keepends=True)))
            imports = imports if imports.startswith(("from ", "import ")) else ""
            rest = f"{imports}{path.read_text('utf-8')}\n\n{rest.removeprefix(imports).lstrip()}"
        elif self.language == "toml" and path.exists():
            rest = f"{path.read_text('utf-8')}\n{rest}"
        path.write_text(rest, "utf-8")
        return path


def blocks_of_page(page: Path) -> Iterator[Block]:
    text = page.read_text("utf-8")
    for found in re.finditer(r"^( *)```(\w+)\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL):
        body = re.sub(f"^{found[1]}", "", found[3], flags=re.MULTILINE)
        yield Block(page, text.count("\n", 0, found.start()) + 1, found[2], body)
