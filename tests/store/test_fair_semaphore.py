"""A semaphore for threads: first come, first served, and no slot lost."""

from __future__ import annotations

import threading
import time

import pytest

from svcflow.store.postgres.fair_semaphore import FairSemaphore, SemaphoreTimeout
from waiting import PATIENCE_S, until


def lined_up(semaphore, many, act):
    """Start threads that act when they have a slot, each in the queue before the next one comes."""
    threads = [threading.Thread(target=lambda n=n: _acting(semaphore, act, n)) for n in range(many)]
    for number, thread in enumerate(threads, 1):
        thread.start()
        until(lambda number=number: len(semaphore._waiting) >= number, "it is in the queue")
    return threads


def _acting(semaphore, act, number):
    with semaphore.slot():
        act(number)


def test_whoever_came_first_is_first():
    """A thread that has just given its slot back comes behind those that wait."""
    semaphore, seen = FairSemaphore(1, PATIENCE_S), []
    with semaphore.slot():
        threads = lined_up(semaphore, 5, seen.append)
    with semaphore.slot():
        assert seen == [0, 1, 2, 3, 4]
    for thread in threads:
        thread.join()


def test_no_more_have_a_slot_than_there_are():
    """Of eight threads two at a time."""
    semaphore, inside, most = FairSemaphore(2, PATIENCE_S), [], []

    def act(number):
        inside.append(number)
        most.append(len(inside))
        time.sleep(0.001)
        inside.remove(number)

    threads = [threading.Thread(target=_acting, args=(semaphore, act, n)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 8
    assert max(most) <= 2
    assert not semaphore._holders


def test_a_thread_needs_one_slot_however_often_it_asks():
    """Otherwise those who ask while they have one would wait for each other."""
    semaphore, seen = FairSemaphore(1, 0.01), []
    with semaphore.slot(), semaphore.slot():
        pass
    semaphore = FairSemaphore(1, PATIENCE_S)
    with semaphore.slot():
        threads = lined_up(semaphore, 1, seen.append)
        with semaphore.slot():
            assert seen == []
    for thread in threads:
        thread.join()
    assert seen == [0]


def test_whoever_waited_in_vain_is_out_of_the_queue():
    """The slot goes to the next one, not to who is gone."""
    semaphore, errors = FairSemaphore(1, 0.01), []

    def late():
        with pytest.raises(SemaphoreTimeout), semaphore.slot():
            pass
        errors.append(SemaphoreTimeout)

    with semaphore.slot():
        thread = threading.Thread(target=late)
        thread.start()
        thread.join()
    assert errors == [SemaphoreTimeout]
    with semaphore.slot():
        assert semaphore._holders == {threading.get_ident()}
    assert not semaphore._holders
