"""What is learned of a rate limit from the platform's own words."""

from __future__ import annotations

import pytest

from benchmarks.platform import Server
from bot.pacing.rate_window import Kind, Window


def feed(window: Window, server: Server, *moments: float) -> None:
    """Make calls at these moments, each answered at once."""
    for moment in moments:
        window.take(moment)
        allowed, remaining, reset, _ = server.take(moment)
        assert allowed
        window.observe(moment, server.limit, remaining, reset)


def test_nothing_is_known_at_first() -> None:
    """Until two responses have told, never more than the limit goes in any period."""
    window = Window(5, 5)
    for moment in (0, 1, 2, 3, 4):
        assert window.when(1, moment) == moment
        window.take(moment)
    assert window.kind is Kind.UNKNOWN
    assert window.level(4.5) == 0
    assert window.when(1, 4.5) == 5
    assert window.when(3, 4.5) == 7
    assert window.level(7) == 3


def test_a_bucket_is_learned_from_two_calls() -> None:
    """A reset that grows with a call: one comes back every interval, a half in half of it."""
    window = Window(5, 5)
    feed(window, Server(5, 5, sliding=True), 0, 0.5)
    assert window.kind is Kind.SLIDING
    assert window.level(0.5) == pytest.approx(3.5)
    assert window.level(1) == pytest.approx(4)
    assert window.when(5, 0.5) == pytest.approx(2)


def test_a_fixed_window_is_learned_from_two_calls() -> None:
    """A reset that only runs down: nothing comes back until then, and everything at once."""
    window = Window(5, 5)
    feed(window, Server(5, 5, sliding=False), 0, 0.5)
    assert window.kind is Kind.FIXED
    assert window.level(4.9) == 3
    assert window.when(4, 0.5) == 5
    assert window.level(5) == 5


@pytest.mark.parametrize(("sliding", "kind"), [(True, Kind.SLIDING), (False, Kind.FIXED)])
def test_the_first_call_gives_the_kind_away(sliding: bool, kind: Kind) -> None:
    """After one call a bucket is full again in a fifth of the time in which a window ends."""
    window = Window(5, 5)
    feed(window, Server(5, 5, sliding), 0)
    assert window.kind is kind


@pytest.mark.parametrize(("remaining", "reset"), [(4, 2.5), (3, 5.0), (3, 1.0), (0, 5.0)])
def test_a_first_response_that_fits_neither_kind_tells_nothing(remaining: int, reset: float) -> None:
    """Nor one that others' calls had a part in: two calls have to tell then."""
    window = Window(5, 5)
    window.observe(0, 5, remaining, reset)
    assert window.kind is Kind.UNKNOWN


@pytest.mark.parametrize("sliding", [True, False])
def test_a_wrong_guess_is_corrected_by_the_second_call(sliding: bool) -> None:
    """A bucket that gives a call back in five seconds looks like a window of five, and the other way round."""
    window = Window(5, 5)
    feed(window, Server(5, 25 if sliding else 1, sliding), 0, 0.1)
    assert window.kind is (Kind.SLIDING if sliding else Kind.FIXED)


@pytest.mark.parametrize("sliding", [True, False])
def test_calls_in_different_windows_tell_nothing(sliding: bool) -> None:
    """A call after everything has come back looks like the first: what kind is known stays."""
    window = Window(5, 5, Kind.FIXED if sliding else Kind.SLIDING)
    feed(window, Server(5, 5, sliding), 0, 10, 20)
    assert window.kind is (Kind.FIXED if sliding else Kind.SLIDING)


def test_a_slow_response_does_not_make_a_bucket() -> None:
    """Half an interval more on the way back is no call that was counted."""
    window = Window(5, 5)
    window.observe(0.1, 5, 3, 5.0)
    kinds = []
    for moment, remaining, reset in ((1.5, 2, 4.1), (1.6, 1, 4.0)):
        window.observe(moment, 5, remaining, reset)
        kinds.append(window.kind)
    assert kinds == [Kind.UNKNOWN, Kind.FIXED]


@pytest.mark.parametrize(("expected", "real"), [(5.0, 5.0), (2.0, 5.0), (6.0, 5.0), (5.0, 60.0)])
def test_the_period_is_learned(expected: float, real: float) -> None:
    """A bucket's own words correct what was expected, within one burst: never too short, at most a quarter too long."""
    window = Window(5, expected)
    server = Server(5, real, sliding=True)
    feed(window, server, *(real / 5 * 0.01 * number for number in range(5)))
    assert window.kind is Kind.SLIDING
    assert 0.99 * real <= window.period <= 1.25 * real


def test_calls_left_are_rounded_by_the_platform() -> None:
    """A bucket with 3.9 calls left says 3: that makes its period no shorter."""
    window = Window(5, 5)
    feed(window, Server(5, 5, sliding=True), 0, 0.9)
    assert window.period == pytest.approx(5)


def test_a_changed_limit_is_followed() -> None:
    """The platform's number counts, not the one that was expected."""
    window = Window(5, 5)
    feed(window, Server(2, 5, sliding=True), 0, 0.5)
    assert window.limit == 2
    assert window.level(0.5) == pytest.approx(0.2)


@pytest.mark.parametrize("sliding", [True, False])
def test_what_others_spend_is_seen(sliding: bool) -> None:
    """Calls of another program lower the level as soon as the headers tell of them."""
    window, server = Window(5, 5), Server(5, 5, sliding)
    feed(window, server, 0, 0.1)
    server.take(0.1)
    server.take(0.1)
    feed(window, server, 0.1)
    assert window.level(0.1) == pytest.approx(0.1 if sliding else 0)


def test_calls_on_the_way_are_counted_in_the_window_they_may_arrive_in() -> None:
    """At a fixed window's end, what was sent before and is not answered is spent already."""
    window = Window(5, 5)
    feed(window, Server(5, 5, sliding=False), 0, 0.1)
    window.take(4.95)
    assert window.level(5) == 4
    window.observe(5.05, 5, 4, 4.95)
    assert window.level(5.05) == 4
    assert window.level(10.1) == 5


@pytest.mark.parametrize("sliding", [True, False, None])
def test_after_a_refusal_one_call_is_back_when_it_says(sliding: bool | None) -> None:
    """A known window holds back until then, and one call goes then."""
    window = Window(5, 5)
    if sliding is not None:
        feed(window, Server(5, 5, sliding), 0, 0.1)
        window.take(1)
        window.exhaust(1, 20)
        assert window.level(20) < 1
        assert window.when(1, 1) == pytest.approx(21)
    else:
        window.exhaust(1, 20)
    assert window.level(21.001) >= 1


def test_when_a_call_comes_back() -> None:
    """A bucket gives it back after an interval, a window at its end; where nothing is known, after the period."""
    bucket, fixed, unknown = Window(5, 5, Kind.SLIDING), Window(5, 5), Window(5, 5)
    feed(fixed, Server(5, 5, sliding=False), 0)
    assert (bucket.regain(2), fixed.regain(2), fixed.regain(6), unknown.regain(2)) == (1, 3, 0, 5)


def test_what_lies_ahead_is_what_is_there_and_what_comes_back() -> None:
    """Over the seconds that an answer is expected to go on, for each kind."""
    bucket, fixed, unknown = Window(5, 5), Window(5, 5), Window(5, 5)
    feed(bucket, Server(5, 5, sliding=True), 0, 0)
    feed(fixed, Server(5, 5, sliding=False), 0, 0)
    unknown.take(0)
    assert bucket.ahead(0, 2) == pytest.approx(3 + 2)
    assert fixed.ahead(0, 2) == pytest.approx(3)
    assert fixed.ahead(0, 7) == pytest.approx(3 + 2)
    assert unknown.ahead(0, 2) == pytest.approx(4)
    assert unknown.ahead(0, 7) == pytest.approx(4 + 1 + 2)


@pytest.mark.parametrize("sliding", [True, False])
def test_a_long_life_keeps_no_record(sliding: bool) -> None:
    """What was sent longer ago than a period is forgotten, so that a busy channel takes no memory."""
    window, server = Window(5, 5), Server(5, 5, sliding)
    feed(window, server, *(number * 1.01 for number in range(1000)))
    assert len(window._sent) + len(window._flying) <= 6
