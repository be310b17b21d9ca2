"""What later pulls saw, laid over the rows: flags as they are now, and whether a message is still there."""

from __future__ import annotations

from typing import Any

from mailml.archive import parts
from mailml.archive._arrow import arrow
from mailml.archive.known import read_news
from mailml.archive.layout import Layout

KEYS = ["account", "folder", "uidvalidity", "uid"]


def with_news(table: Any, state: list[parts.Part]) -> Any:
    """The table with current `flags` and the column `present`.

    A message is absent when a pull no longer found it in its folder, or when the folder's UIDVALIDITY has
    changed since: its row then stands for a life of the folder that is over.
    """
    pa = arrow()
    latest: dict[tuple[str, str, int, int], tuple[str | None, bool]] = {}
    epochs: dict[tuple[str, str], int] = {}
    for part in state:
        for news in read_news(part):
            epochs[news.account, news.folder] = news.uidvalidity
            if news.uid:
                key = (news.account, news.folder, news.uidvalidity, news.uid)
                # An absence says nothing of flags: the last ones seen stay.
                flags = " ".join(news.flags) if news.present else latest.get(key, (None, True))[0]
                latest[key] = (flags, news.present)
    if not latest and not epochs:
        return table.append_column("present", pa.array([True] * table.num_rows, pa.bool_()))
    return _laid_over(table, latest, epochs)


def _laid_over(
    table: Any, latest: dict[Any, tuple[str | None, bool]], epochs: dict[tuple[str, str], int]
) -> Any:
    pa = arrow()
    flags, present = table.column("flags").to_pylist(), []
    keys = zip(*(table.column(name).to_pylist() for name in KEYS), strict=True)
    for number, key in enumerate(keys):
        seen = latest.get(key)
        if seen is not None and seen[0] is not None:
            flags[number] = seen[0]
        present.append(epochs.get(key[:2], key[2]) == key[2] and (seen is None or seen[1]))
    place = table.column_names.index("flags")
    table = table.set_column(place, "flags", pa.array(flags, pa.string()))
    return table.append_column("present", pa.array(present, pa.bool_()))


def flags_of(layout: Layout, account: str, folder: str, uidvalidity: int) -> dict[int, tuple[str, ...]]:
    """UID → flags as last seen, of one folder."""
    pa = arrow()
    field = pa.compute.field
    here = (field("account") == account) & (field("folder") == folder) & (field("uidvalidity") == uidvalidity)
    pieces = [parts.read(part, [*KEYS, "flags"]).filter(here) for part in parts.listed(layout.raw)]
    if not pieces:
        return {}
    table = with_news(pa.concat_tables(pieces), parts.listed(layout.state))
    pairs = zip(table.column("uid").to_pylist(), table.column("flags").to_pylist(), strict=True)
    return {uid: tuple(flags.split()) for uid, flags in pairs}
