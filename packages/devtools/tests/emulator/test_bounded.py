"""The mapping under everything that the emulator keeps."""

from hypothesis import given, strategies as st

from wwspec_devtools.emulator.bounded import ENTRY_BYTES, BoundedDict

steps = st.lists(
    st.tuples(st.sampled_from(["put", "put", "put", "resize", "remove"]), st.integers(0, 9), st.integers(0, 900))
)


@given(steps, st.integers(0, 3000), st.none() | st.integers(1, 5))
def test_the_oldest_entries_make_room(
    steps: list[tuple[str, int, int]], max_bytes: int, max_entries: int | None
) -> None:
    dropped: list[tuple[int, int]] = []
    bounded = BoundedDict[int, int](max_bytes, max_entries, lambda key, value: dropped.append((key, value)))
    model: dict[int, tuple[int, int]] = {}
    gone: list[tuple[int, int]] = []
    for number, (step, key, size) in enumerate(steps):
        if step == "put":
            model.pop(key, None)
            model[key] = (number, size + ENTRY_BYTES)
            bounded.put(key, number, size)
        elif step == "resize" and key in model:
            model[key] = (model[key][0], size + ENTRY_BYTES)
            bounded.resize(key, size)
        elif step == "remove":
            model.pop(key, None)
            bounded.remove(key)
        while sum(size for _, size in model.values()) > max_bytes or (max_entries and len(model) > max_entries):
            oldest = next(iter(model))
            gone.append((oldest, model.pop(oldest)[0]))
        assert list(bounded.values()) == [value for value, _ in model.values()]
        assert bounded.kept.bytes == sum(size for _, size in model.values()) <= max_bytes
        assert bounded.oldest() == next(((key, value) for key, (value, _) in model.items()), None)
        assert len(bounded) == bounded.kept.entries == len(model)
        assert all((each in bounded) == (each in model) for each in range(10))
    assert dropped == gone


def test_an_entry_that_is_gone_is_not_counted_anew() -> None:
    """Row 7: a reply may end an exchange whose record was dropped meanwhile."""
    bounded = BoundedDict[str, str](1000)
    bounded.put("a", "1", 10)
    bounded.remove("a")
    bounded.resize("a", 10**9)
    assert (bounded.kept.bytes, bounded.get("a")) == (0, None)
