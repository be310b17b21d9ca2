"""Bells: heard at once, remembered until heard, and never needed."""

from __future__ import annotations

import gc
import os
import select
import threading
import time
from pathlib import Path

import pytest

from serve.bells import Bell, Bells, End


def test_a_bell_rung_before_is_heard_once() -> None:
    """Ringing is remembered, twice is once."""
    bell = Bell()
    bell.ring()
    bell.ring()
    assert bell.wait(0)
    assert not bell.wait(0.01)


def test_a_bell_wakes_a_waiting_role() -> None:
    """Who waits is woken at once."""
    bell = Bell()
    begun = time.monotonic()
    threading.Timer(0.05, bell.ring).start()
    assert bell.wait(30)
    assert time.monotonic() - begun < 10


def test_the_end_wakes_everybody() -> None:
    """At the end no role sleeps on."""
    bells = Bells()
    mover = bells.mover("desk")
    assert bells.mover("desk") is mover
    bells.end()
    assert bells.stop.is_set()
    assert all(bell.wait(0) for bell in (bells.worker, bells.sender, bells.clock, mover))


def test_every_sender_has_a_bell() -> None:
    """Mail to be sent wakes each of them, and the first one's is the sender's own."""
    bells = Bells()
    second = bells.sender_of(1)
    assert bells.sender_of(0) is bells.sender
    bells.mail()
    assert bells.sender.wait(0)
    assert second.wait(0)
    assert not second.wait(0)


@pytest.mark.parametrize("before", [True, False], ids=["asked before", "asked after"])
def test_an_end_can_be_polled_for(before: bool) -> None:
    """Its descriptor says nothing until the end, and then for ever, whenever it was asked for."""
    end, ears = End(), select.poll()
    if before:
        ears.register(end, select.POLLIN)
        assert ears.poll(0) == []
        timer = threading.Timer(0.05, end.set)
        timer.start()
    else:
        end.set()
        ears.register(end, select.POLLIN)
    assert ears.poll(30_000)
    end.set()
    assert ears.poll(0)
    assert end.wait(0)


def test_an_end_takes_its_descriptors_with_it() -> None:
    """Turns come and go for as long as the process lives: nothing of them stays open."""
    end = End()
    number = end.fileno()
    pipe = os.fstat(number).st_ino
    del end
    gc.collect()
    # a thread of another test may have been given the number meanwhile
    left = os.fstat(number).st_ino if Path(f"/proc/self/fd/{number}").exists() else 0
    assert left != pipe
