"""Bringing mail from IMAP servers into an archive: read-only, resumable, only what is new."""

from mailml.lab.pull.job import PullJob, pull_job
from mailml.lab.pull.progress import Progress
from mailml.lab.pull.puller import pull
from mailml.lab.pull.report import FolderReport, PullReport
from mailml.lab.pull.stopping import PullStopped

__all__ = ["FolderReport", "Progress", "PullJob", "PullReport", "PullStopped", "pull", "pull_job"]
