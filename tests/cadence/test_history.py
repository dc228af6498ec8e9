import datetime as dt

from commsengine.cadence.history import touch_key

DAY = dt.date(2027, 1, 11)


def test_a_key_never_changes_its_spelling() -> None:
    assert touch_key("crm", "one-record", "ana", DAY, 0) == "9b2c2f05692f7a71935e9958"


def test_every_part_of_a_key_counts() -> None:
    keys = {
        touch_key("crm", "one-record", "ana", DAY, 0),
        touch_key("crm2", "one-record", "ana", DAY, 0),
        touch_key("crm", "two-records", "ana", DAY, 0),
        touch_key("crm", "one-record", "ben", DAY, 0),
        touch_key("crm", "one-record", "ana", DAY + dt.timedelta(days=1), 0),
        touch_key("crm", "one-record", "ana", DAY, 1),
    }
    assert len(keys) == 6


def test_parts_do_not_run_into_each_other() -> None:
    assert touch_key("a", "bc", "d", DAY, 0) != touch_key("ab", "c", "d", DAY, 0)
