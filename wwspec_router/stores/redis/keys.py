"""The names of a program's keys in Redis: all under one prefix, which is also their hash tag.

Programs with other prefixes share the server and never see each other's keys. The braces end the prefix, and keep all
keys of a program in one slot wherever a server has slots.

Every other module names keys without the prefix: `RedisServer` adds it, and a script that makes names adds `prefix`
itself.
"""

from urllib.parse import quote

from wwspec_contracts.errors import ConfigurationError

PREFIX = """
local prefix = string.match(KEYS[1], '^{[^}]*}:')
"""
"""The beginning of a script that makes names of keys: `prefix`, which it puts before each of them."""


def key_prefix(program: str) -> str:
    """Return the beginning of the names of one program's keys.

    Args:
        program: The program's name, or the prefix in the store's URL.

    Raises:
        ConfigurationError: It is empty.
    """
    if not program:
        raise ConfigurationError(
            "the prefix of the keys in Redis is empty: name the program ([program] name in the registry file), "
            "or add ?prefix=NAME to the store's URL"
        )
    return f"{{{quote(program, safe='', errors='surrogatepass')}}}:"
