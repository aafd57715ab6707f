"""Feeds the compiled check by atheris: `python -m torture.native_guided COUNT SEED FOLDER MODULE`.

The module is built with counters, so that the fuzzer sees which branches of the C code a text reaches, and with the
address sanitizer. Two bytes of an input choose the type, the rest is the text.
"""

import sys
from pathlib import Path
from random import Random

from msgspec import inspect as mi

from torture.native_feed import load
from torture.native_judge import Judge
from torture.native_texts import Values, written
from torture.native_types import contracts, random_types


def _main(count: int, seed: int, folder: Path, module: str) -> None:
    import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]  # it has no stubs

    random = Random(seed)  # noqa: S311 - not for secrets
    build = load(module).Fitter
    judges = [Judge(case, [build]) for case in contracts() + random_types(random, 97)]
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, judge in enumerate(judges):
        text = written(Values(random).of(mi.type_info(judge.case.type)), random).encode("utf-8", "surrogatepass")
        (corpus / str(number)).write_bytes(number.to_bytes(2) + text)
    keys = sorted({name.encode() for judge in judges for name in _keys(judge.plan) if name})
    words = ('"' + "".join(f"\\x{byte:02x}" for byte in key) + '"\n' for key in keys)
    (folder / "words").write_text("".join(words))

    def feed(data: bytes) -> None:
        judge = judges[int.from_bytes(data[:2]) % len(judges)]
        text = data[2:].decode("utf-8", "surrogateescape")
        if judge.says(text):
            judge.judge(text)

    options = [f"-runs={count}", f"-seed={seed or 1}", "-max_len=2048", "-timeout=20", "-verbosity=0"]
    options += [f"-dict={folder / 'words'}", f"-artifact_prefix={folder}/", "-rss_limit_mb=4096"]
    atheris.Setup([sys.argv[0], *options, "-print_final_stats=1", str(corpus)], feed)
    atheris.Fuzz()


def _keys(plan: object) -> list[str]:
    if not isinstance(plan, tuple):
        return []
    own = [plan[0]] if len(plan) == 3 and isinstance(plan[0], str) and isinstance(plan[2], bool) else []
    return own + [name for each in plan for name in _keys(each)]


if __name__ == "__main__":
    _main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
