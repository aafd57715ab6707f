"""Served zones and verbs that run beside a test, in forked processes: each costs half of what a new interpreter costs.

What a start imports, its memory and its command line as `ps` shows it are the matter of tests with `Zone.serve` and
`Child`.
"""

from functools import partial

from tests.support.forks import start_forked
from wwspec_devtools.child import Child
from wwspec_devtools.testing.zone import Zone

forked_child = partial(Child, start_process=start_forked)
"""Starts a `Child`."""
serve_zone = partial(Zone.serve, start_process=start_forked)
"""Makes a zone as `Zone.serve` does."""


def app_of(zone: Zone) -> dict[str, str]:
    """Return the environment of an enterprise app that calls the program of a zone."""
    info = zone.client.info()
    return {
        "WWSPEC_BASE_URL": zone.client.url,
        "WWSPEC_CORPID": info["corpid"],
        "WWSPEC_CORPSECRET": info["secret"],
        "WWSPEC_PROGRAM_ID": info["program_id"],
    }
