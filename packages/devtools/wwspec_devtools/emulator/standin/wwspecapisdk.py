"""The emulator's stand-in for the vendor's module of the same name [100057].

Put this folder first on PYTHONPATH, and any zone program runs against the local emulator, unchanged. The names,
arguments and getters are those that WeCom documents; the envelope on the way is the emulator's own. It needs the
standard library and pycryptodome, and runs on Python 3.6 and later, as the vendor's module does.

The environment variable WWSPEC_EMULATOR_URL says where the emulator is:

* `http://127.0.0.1:8090`, the default. Another loopback host and port will do; every other host is refused.
* `local:DIRECTORY`: no emulator, for benchmarks and unit tests. The zone key is DIRECTORY/zone.key, and each API
  returns the text of DIRECTORY/<api>.json.

Time limits, in seconds: 5 to connect (also how long the first call waits for an emulator that is not up yet), 30 to
read a reply. A call that can't be made raises an exception of an unexported class, as with the vendor; its attribute
`return_code` and its text hold the documented return code [100052].
"""

from wwspec_standin.sdk import *  # noqa: F403 - all names of the vendor's module
from wwspec_standin.sdk import __all__ as __all__, spec_emulator_trace as spec_emulator_trace  # the latter is our own
