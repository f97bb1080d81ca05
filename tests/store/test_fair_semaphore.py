"""A semaphore for threads: first come, first served, and no slot lost."""

from __future__ import annotations

import threading
import time

import pytest

from svcflow.store.postgres.fair_semaphore import FairSemaphore, SemaphoreTimeout
from waiting import PATIENCE_S, until


def lined_up(places, many, act):
    """Start threads that act when they have a place, each in the line before the next one comes."""
    threads = [threading.Thread(target=lambda n=n: _acting(places, act, n)) for n in range(many)]
    for number, thread in enumerate(threads, 1):
        thread.start()
        until(lambda number=number: len(places._waiting) >= number, "it is in the line")
    return threads


def _acting(places, act, number):
    with places.one():
        act(number)


def test_whoever_came_first_is_first():
    """A thread that has just given its place up comes behind those that wait."""
    places, seen = FairSemaphore(1, PATIENCE_S), []
    with places.one():
        threads = lined_up(places, 5, seen.append)
    with places.one():
        assert seen == [0, 1, 2, 3, 4]
    for thread in threads:
        thread.join()


def test_no_more_have_a_place_than_there_are():
    """Of eight threads two at a time."""
    places, inside, most = FairSemaphore(2, PATIENCE_S), [], []

    def act(number):
        inside.append(number)
        most.append(len(inside))
        time.sleep(0.001)
        inside.remove(number)

    threads = [threading.Thread(target=_acting, args=(places, act, n)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 8
    assert max(most) <= 2
    assert not places._inside


def test_a_thread_needs_one_place_however_often_it_asks():
    """Otherwise those who ask while they have one would wait for each other."""
    places, seen = FairSemaphore(1, 0.01), []
    with places.one(), places.one():
        pass
    places = FairSemaphore(1, PATIENCE_S)
    with places.one():
        threads = lined_up(places, 1, seen.append)
        with places.one():
            assert seen == []
    for thread in threads:
        thread.join()
    assert seen == [0]


def test_whoever_waited_in_vain_is_out_of_the_line():
    """The place goes to the next one, not to who is gone."""
    places, errors = FairSemaphore(1, 0.01), []

    def late():
        with pytest.raises(SemaphoreTimeout), places.one():
            pass
        errors.append(SemaphoreTimeout)

    with places.one():
        thread = threading.Thread(target=late)
        thread.start()
        thread.join()
    assert errors == [SemaphoreTimeout]
    with places.one():
        assert places._inside == {threading.get_ident()}
    assert not places._inside
