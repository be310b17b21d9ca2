"""A pull in the background: found again, interrupted, resumed, and its failures told, on a real Dovecot."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import pytest

from mailml import lab
from mailml.archive import Archive
from mailml.errors import AuthError, InputError
from mailml.lab.pull import PullStopped
from mailml.transport.account import Account
from tests.bench.mailbox import fill
from tests.bench.pull import exactly_once
from tests.scenarios.test_pull import mail, put, subjects
from tests.servers.dovecot import User
from tests.servers.fault_proxy import FaultProxy

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(240)]


def test_it_ends_with_its_report(dovecot: User, tmp_path: Path) -> None:
    """The job brings what a pull brings, says so, and leaves nothing unfinished behind."""
    put(dovecot, "INBOX", mail(1), mail(2))
    job = lab.pull_job(dovecot.account(), tmp_path / "a")
    assert job.wait(60)
    assert job.report is not None
    assert job.report.new == 2
    assert str(job) == str(job.report)
    assert subjects(tmp_path / "a") == [("INBOX", "n1"), ("INBOX", "n2")]
    assert Archive.open(tmp_path / "a").status().pulling is None


def test_the_same_job_is_found_again(dovecot: User, tmp_path: Path) -> None:
    """Running the cell again while it is at work attaches to it; the archive tells how far it is."""
    fill(dovecot, 400)
    with FaultProxy(dovecot.server.imap_port) as proxy:
        proxy.cut_after(200_000, kind="silent")  # so that the job is at work for as long as we look
        account = dataclasses.replace(dovecot.account("none", proxy.port), timeout=30.0)
        archive = Archive.open(tmp_path / "a", create=True)
        job = lab.pull_job(account, archive)
        while job.running and (told := archive.status().pulling) is None:
            time.sleep(0.05)
        assert told is not None
        assert told.running
        assert told.total == 400
        assert lab.pull_job(account, tmp_path / "a") is job
        assert str(job).startswith("pulling: ")
        proxy.cut_now()
    assert job.stop(60)


def test_interrupted_and_resumed(dovecot: User, tmp_path: Path) -> None:
    """Stopped after 50 messages the archive has them and says so; the next job brings the rest, each once."""
    fill(dovecot, 300)
    seen = [0]

    def enough() -> bool:
        seen[0] += 1
        return seen[0] >= 50

    with pytest.raises(PullStopped):
        lab.pull(dovecot.account(), tmp_path / "a", progress=False, stop=enough)
    status = Archive.open(tmp_path / "a").status()
    assert status.messages == 50
    assert status.pulling is not None
    assert not status.pulling.running
    assert (status.pulling.done, status.pulling.total) == (50, 300)
    job = lab.pull_job(dovecot.account(), tmp_path / "a")
    assert job.wait(60)
    assert job.report is not None
    assert job.report.new == 250
    exactly_once(tmp_path / "a", 300)
    assert Archive.open(tmp_path / "a").status().pulling is None


def test_a_stop_is_heard_and_keeps_what_came(dovecot: User, tmp_path: Path) -> None:
    """Whenever the wish to stop comes, what is there is whole and the next job completes it."""
    fill(dovecot, 2_000)
    job = lab.pull_job(dovecot.account(), tmp_path / "a")
    assert job.stop(60)
    assert job.stopped or job.report is not None
    if job.stopped:
        assert str(job).startswith("interrupted at ")
    again = lab.pull_job(dovecot.account(), tmp_path / "a")
    assert again is not job
    assert again.wait(120)
    exactly_once(tmp_path / "a", 2_000)


def test_a_wrong_password_is_told_in_one_line(dovecot: User, tmp_path: Path) -> None:
    """The job ends with the error, which names no secret, and its HTML is text."""
    account = Account.from_mapping({**dovecot.mapping(), "password": "hunter2<b>"}, name="desk")
    job = lab.pull_job(account, tmp_path / "a")
    assert job.wait(60)
    assert isinstance(job.error, AuthError)
    assert "hunter2" not in str(job)
    assert "hunter2" not in job._repr_html_()
    assert "<b>" not in job._repr_html_()


def test_no_account_is_told(tmp_path: Path) -> None:
    """Without an account there is a job that failed with a sentence."""
    job = lab.pull_job([], tmp_path / "a")
    assert job.wait(10)
    assert isinstance(job.error, InputError)
    assert "no account" in str(job)
