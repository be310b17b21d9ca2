"""Killed at random moments while mail keeps coming, again and again: what `--once` cannot show."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from contextlib import suppress

from tests.serve.service import mail
from tests.soak.turn import Bench, Tally


def random_kills(bench: Bench, count: int, *, per_second: float = 10.0, seed: int = 7) -> Tally:
    """Kill a running service `count` times under so many mails a second; then heal and judge."""
    chance, tally = random.Random(seed), Tally()
    turn, quiet = bench.turn(), threading.Event()
    turn.service.serve["poll_seconds"] = 1
    numbers = dict.fromkeys(("per_subject_day", "per_body_day", "global_hour", "loop_signs_hour"), 10**6)
    turn.service.limits = dict(numbers)
    turn.service.write()

    def fill() -> None:
        number = 0
        while not quiet.wait(chance.expovariate(per_second)):
            number += 1
            address = f"load{number}@load{number}.example"
            turn.user.deliver(mail(f"load{number}", sender=f"L <{address}>", body=f"Load {number}"))
            turn.people.append(address)

    writer = threading.Thread(target=fill)
    writer.start()
    try:
        for _ in range(count):
            pid = bench.victims.start({"config": str(turn.config), "for_good": True})
            time.sleep(chance.uniform(0.1, 1.5))
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            ended = bench.victims.wait()
            tally.turns += 1
            tally.hurt += ended.killed
            tally.ends[ended.code] += 1
    finally:
        quiet.set()
        writer.join()
    turn.heal()
    turn.judge(tally)
    return tally
