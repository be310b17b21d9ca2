"""sieve-filter in its dry run: where a Sieve script would put each mail, and what that costs."""

from __future__ import annotations

import re
import resource
import subprocess
from collections.abc import Sequence

from tests.bench.mailbox import put
from tests.servers.dovecot import Dovecot
from tests.servers.missing import program

_PLACED = re.compile(r"^ \* store message in folder: (.*)$", re.MULTILINE)
PACKAGE = "dovecot-sieve"


def dry_run(dovecot: Dovecot, raws: Sequence[bytes], script: str, rounds: int = 3) -> tuple[float, list[str]]:
    """CPU seconds of the whole run, and where each mail would go; raises ServerMissing.

    The quickest of several rounds: from the second on, Dovecot has its index.
    """
    sieve, compiler = program("sieve-filter", package=PACKAGE), program("sievec", package=PACKAGE)
    user = dovecot.user()
    put(user, raws)
    path, configuration = dovecot.base / "rules.sieve", str(dovecot.base / "dovecot.conf")
    path.write_text(script)
    subprocess.run([compiler, "-c", configuration, str(path)], check=True, capture_output=True)
    command = [sieve, "-c", configuration, "-u", user.name, str(path), "INBOX"]
    turns, printed = [], ""
    for _ in range(rounds):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        turns.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(turns), _PLACED.findall(printed)
