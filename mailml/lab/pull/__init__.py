"""Bringing mail from IMAP servers into an archive: read-only, resumable, only what is new."""

from mailml.lab.pull.progress import Progress
from mailml.lab.pull.puller import pull
from mailml.lab.pull.report import FolderReport, PullReport

__all__ = ["FolderReport", "Progress", "PullReport", "pull"]
