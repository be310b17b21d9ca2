"""An append-only store of raw messages and the facts parsed from them, in Parquet parts (zstd).

    archive/
      archive.json   format number
      raw/           parts of raw messages: written to a temporary name, fsynced, renamed; packed by the index
      facts/         what was parsed from each raw part, row by row; made by the index, can be deleted
      state/         later news: changed flags, messages that left their folder
      pulling.json   how far the pull is that runs now, or that was interrupted

What has been pulled is derived from the parts alone: a part is there whole or not at all, so a pull that is
killed anywhere goes on where it was, and a part that is deleted is pulled again.
"""

from mailml.archive.pulling import Pulling
from mailml.archive.rows import ArchiveRow, Arrival, Key
from mailml.archive.status import ArchiveStatus, FolderStatus
from mailml.archive.store import Archive
from mailml.archive.writer import Writer

__all__ = ["Archive", "ArchiveRow", "ArchiveStatus", "Arrival", "FolderStatus", "Key", "Pulling", "Writer"]
