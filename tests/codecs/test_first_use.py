"""The first use of contracts by many threads at once.

msgspec keeps what it knows of a struct before that is complete; a thread that decodes meanwhile ends its process with
a segmentation fault. So each case runs in a process of its own.
"""

import subprocess
import sys

import pytest

from tests.support.waiting import DEADLINE

PROGRAM = """
import sys, threading
from msgspec import defstruct
from wwspec_router.codecs.codec import InputCodec, LazyType, OutputCodec
from wwspec_contracts.decoding import convert, decode_json

sys.setswitchinterval(1e-6)
INNER = '{"a1":1,"a19":3}'
OUTER = '{"inner":' + INNER + ',"more":[' + INNER + ']}'
USES = {
    "codecs": lambda kind, lazy, text: (
        InputCodec(lazy).forward, InputCodec(lazy).decode, OutputCodec(lazy).fit, OutputCodec(lazy).decode
    ),
    "JSON": lambda kind, lazy, text: (lambda text: decode_json(text, kind),),
    "values": lambda kind, lazy, text: (lambda text, value=decode_json(text): convert(value, kind),),
}
uses = USES[sys.argv[1]]
failures = []

def use(barrier, function, text):
    barrier.wait()
    try:
        function(text)
    except BaseException as error:
        failures.append(error)

for number in range(60):
    inner = defstruct(f"Inner{number}", [(f"a{index}", "int | None", None) for index in range(20)])
    outer = defstruct(f"Outer{number}", [("inner", inner), ("more", list[inner])])
    lazy = {each: LazyType(lambda each=each: each) for each in (inner, outer)}
    texts = {inner: INNER, outer: OUTER}
    jobs = [(each, text) for kind, text in texts.items() for each in uses(kind, lazy[kind], text)]
    barrier = threading.Barrier(2 * len(jobs))
    threads = [threading.Thread(target=use, args=(barrier, *job)) for job in 2 * jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
assert not failures, failures
"""


AS_CODECS = [pytest.param(each, marks=pytest.mark.slow) for each in ("JSON", "values")]  # an interpreter each: 4 s


@pytest.mark.parametrize("what", ["codecs", *AS_CODECS])
def test_threads_that_use_a_contract_for_the_first_time_at_once_all_get_their_values(what: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, what], capture_output=True, text=True, timeout=2 * DEADLINE, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
