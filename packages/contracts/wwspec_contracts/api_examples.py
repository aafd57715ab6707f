"""Console examples of WeCom's contracts, from a file. So a start-up compares contracts without importing them.

`scripts/fix` writes the file from the contracts.
"""

from functools import cache
from pathlib import Path
from typing import Any

import msgspec

FILE = Path(__file__).with_name("api_examples.json")

Examples = dict[str, dict[str, Any]]
"""By module and type, such as `wwspec_contracts.api.sync_msg` and `Request`: the console example."""


@cache
def examples() -> Examples:
    """Return the examples of all contracts."""
    return msgspec.json.decode(FILE.read_bytes(), type=Examples)
