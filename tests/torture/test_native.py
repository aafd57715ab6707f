"""What the run `native` is there to find is found: each fault that is put into the C file makes it fail."""

import re
import sys
from pathlib import Path

import msgspec
import pytest

from tests.support.apps import ROOT
from tests.support.processes import finished
from tests.support.tools import tool
from torture.native_builds import SOURCE, compiled, preloaded
from torture.native_feed import FeedReport, Orders

pytestmark = pytest.mark.nightly  # each fault is compiled, and fed in a process of its own: 3 seconds or more

FAULTS = {
    "a key may come twice": ("if (seen & bit) return NULL;", ""),
    "a key may be missing": ("(seen & node->required) == node->required", "1"),
    "an empty object fits": ("node->required == 0 ? p + 1 : NULL", "p + 1"),
    "a key ends early": ("p[size] == '\"' && memcmp", "memcmp"),
    "a short key ends early": (
        "size < HEAD ? size + 1 : HEAD);\n        memcpy(key->head, start, size < HEAD ? size : HEAD);\n"
        "        if (size < HEAD) ((char *)key->head)[size] = '\"';",
        "size < HEAD ? size : HEAD);\n        memcpy(key->head, start, size < HEAD ? size : HEAD);",
    ),
    "the second half of a key": ("| ((head[1] & key->mask[1]) ^ key->head[1])", ""),
    "the rest of a long key": ("key->name.size < HEAD || is_whole_key(key, p, end)", "1"),
    "a control character is let in": ("_mm_set1_epi8(0x1f)", "_mm_set1_epi8(0x1e)"),
    "a control character is let in at the end": ("*p > 0x1f) p++", "*p > 0x1e) p++"),
    "an escape that JSON does not have": ("case 't': p += 2", "case 't': case 'q': p += 2"),
    "characters are bytes": ("while ((p[1] & 0xc0) == 0x80) p++;", ""),
    "an escape is two characters": ("if (*p == '\\\\') p++;\n        while", "while"),
    "a limit of characters is one more": (
        "count > node->most) return NULL;\n    }",
        "count > node->most + 1) return NULL;\n    }",
    ),
    "a limit of bytes is one more": ("p - start > node->max_bytes", "p - start - 1 > node->max_bytes"),
    "a bound of numbers is one more": ("value <= node->most :", "value <= node->most + 1 :"),
    "zeros before a number": ("(*start == '0' && (p - start > 1 || is_negative)) ||", ""),
    "no digits": ("p == start || ", ""),
    "a number that is not listed": ("&& node->integers[low] == value", ""),
    "a listed text is the beginning": ("text->size == p - start &&", "text->size <= p - start &&"),
    "a list that is too long": ("count < node->least || count > node->most ? NULL", "count < node->least ? NULL"),
    "a list that is too short": ("node->least > 0 ? NULL : p + 1", "p + 1"),
    "space that JSON does not have": ("*p == '\\r')) p++", "*p == '\\r' || *p == '\\v' || *p == '\\f')) p++"),
    "text after the value": ("p != NULL && skip_space(p) == end", "p != NULL"),
    "a comma at the end": ("(p + 1);\n    }", "(p + 1);\n        if (*p == ']') return p + 1;\n    }"),
}
BEYOND_MEMORY = {
    "a step of 16 bytes": (
        "for (; end - p >= 16; p += 16) {\n        __m128i",
        "for (; p < end; p += 16) {\n        __m128i",
    ),
    "a boolean": ("end - p >= 5 && memcmp", "end != NULL && memcmp"),
    "a key": ("end - p > size && p[size]", "end != NULL && p[size]"),
    "the head of a key": ("if (end - p < HEAD) return is_whole_key(key, p, end);", ""),
}


def fed(fault: tuple[str, str], build: str, folder: Path, count: int) -> tuple[int, FeedReport, str]:
    """Feed the C file with a fault in it; return the exit code, the report, and what sanitizers say."""
    tool("gcc")
    tool("Python.h")
    text = SOURCE.read_text()
    assert text.count(fault[0]) >= 1
    changed = folder / "speedups.c"
    changed.write_text(text.replace(*fault))
    module = compiled(build, folder, changed)
    orders = Orders(builds=[str(module)], seed=1, count=count, seconds=100, most_failures=1)
    env = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0", **(preloaded(build) or {})}
    done = finished(
        sys.executable, "-m", "torture.native_feed", msgspec.json.encode(orders).decode(), cwd=ROOT, env=env
    )
    report = FeedReport() if done.returncode else msgspec.json.decode(done.stdout, type=FeedReport)
    return done.returncode, report, done.stderr


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_wrong_certainty_is_found(fault: tuple[str, str], tmp_path: Path) -> None:
    exit_code, report, said = fed(fault, "gcc", tmp_path, 150_000)
    assert (exit_code, said) == (0, "")
    assert report.failures


@pytest.mark.parametrize("fault", BEYOND_MEMORY.values(), ids=BEYOND_MEMORY)
def test_a_read_beyond_the_text_is_found_by_the_sanitizer(fault: tuple[str, str], tmp_path: Path) -> None:
    exit_code, _, said = fed(fault, "sanitized", tmp_path, 40_000)
    assert exit_code != 0
    # The second name is that of a read which begins within the text.
    assert re.search("AddressSanitizer: (heap-buffer-overflow|unknown-crash)", said)


def test_a_leak_is_found_by_the_sanitizer(tmp_path: Path) -> None:
    exit_code, _, said = fed(("    free_node(self->root);\n", ""), "sanitized", tmp_path, 1_000)
    assert exit_code == 0
    assert re.search(r"speedups\.c:\d+", said[said.index("LeakSanitizer") :])
