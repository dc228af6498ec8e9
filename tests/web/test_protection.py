from commsengine.web.protection import RateLimit


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_link_may_be_used_so_often_a_minute() -> None:
    limit = RateLimit(3, clock=Seconds())
    assert [limit.allows("a") for _ in range(5)] == [True, True, True, False, False]


def test_another_link_is_not_affected() -> None:
    limit = RateLimit(1, clock=Seconds())
    assert [limit.allows("a"), limit.allows("b"), limit.allows("a")] == [True, True, False]


def test_the_minute_slides() -> None:
    seconds = Seconds()
    limit = RateLimit(2, clock=seconds)
    allowed = []
    for seconds.now in (0.0, 30.0, 59.0, 60.0, 89.0, 90.0):
        allowed.append(limit.allows("a"))
    assert allowed == [True, True, False, True, False, True]


def test_memory_is_bounded() -> None:
    limit = RateLimit(1, keys=2, clock=Seconds())
    assert [limit.allows(key) for key in ("a", "b", "c", "b", "a")] == [True, True, True, False, True]
