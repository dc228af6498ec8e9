"""What is kept in temporary files comes back as it was put there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from commsengine.spool import BATCH, MOST_KEYS, KeyIndex, Spool, batches
from tests.builders import ANA, utc


@pytest.mark.parametrize("number", [0, 1, BATCH - 1, BATCH, 2 * BATCH + 1])
def test_a_spool_is_the_sequence_that_was_put_in(number: int) -> None:
    spool = Spool(range(number))
    assert (len(spool), spool, list(spool)) == (number, tuple(range(number)), list(range(number)))
    assert spool[::7] == tuple(range(number))[::7]
    assert [spool[place] for place in (0, -1)] == [0, number - 1] if number else not spool
    assert spool != [*range(number), -1]


def test_it_may_grow_while_it_is_read_to_the_end() -> None:
    spool = Spool(range(BATCH))
    assert sum(1 for _ in zip(spool, spool, strict=True)) == BATCH
    spool.append(BATCH)
    assert spool[-1] == BATCH


def test_people_come_back_with_all_that_is_known_of_them() -> None:
    full = replace(
        ANA, days=frozenset({0, 4}), since=utc("2027-01-11"), quiet=(480, 1020), attributes={"depot": "North"}
    )
    people = [full, *(replace(ANA, id=str(number)) for number in range(BATCH))]
    assert Spool(people) == people


def test_a_key_keeps_its_first_number() -> None:
    index = KeyIndex()
    assert [index.add(key, number) for number, key in enumerate(("a", "b", "a"), 1)] == [None, None, 1]
    assert (index.get("b"), index.get("c"), "a" in index, "c" in index) == (2, None, True, False)


def test_a_key_is_found_among_more_than_memory_holds() -> None:
    index, last = KeyIndex(), MOST_KEYS + 10
    assert {index.add(str(number), number) for number in range(1, last)} == {None}
    assert [index.add(str(number), 0) for number in (1, MOST_KEYS, last - 1)] == [1, MOST_KEYS, last - 1]
    assert (index.get("0"), str(last) in index) == (None, False)


def test_batches_hold_everything_once() -> None:
    assert [len(some) for some in batches(range(2 * BATCH + 1))] == [BATCH, BATCH, 1]
