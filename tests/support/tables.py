"""Tables of cheap cases: one test tries them all, since a test of its own for each costs more than the case."""

from collections.abc import Callable, Iterable
from functools import wraps
from inspect import Signature, signature
from typing import Any

Test = Callable[..., None]


def for_each(cases: Iterable[Any]) -> Callable[[Test], Test]:
    """Make a function the test of a whole table, which fails at its end with all cases that are wrong.

    Args:
        cases: What the function's first parameter takes, or its first ones where a case is a tuple. The others are
            fixtures, which all cases share.
    """
    table = [case if isinstance(case, tuple) else (case,) for case in cases]

    def decorate(check: Test) -> Test:
        @wraps(check)
        def test(**fixtures: Any) -> None:
            faults = []
            for case in table:
                try:
                    check(*case, **fixtures)
                except Exception as error:
                    faults.append(f"{', '.join(map(ascii, case))}: {type(error).__name__}: {error}")
            assert not faults, "\n".join(faults)

        parameters = [*signature(check).parameters.values()]
        test.__signature__ = Signature(parameters[len(table[0]) :])  # type: ignore[attr-defined]  # for pytest
        return test

    return decorate
