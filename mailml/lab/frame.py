"""`lab.frame`: one row per message of an archive, as a pandas DataFrame. Bodies stay in the archive."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from mailml.errors import InputError
from mailml.lab.arrivals import arrivals
from mailml.lab.folders import is_sent

if TYPE_CHECKING:
    import pandas as pd

    from mailml.archive import Archive
    from mailml.bundle import Bundle
    from mailml.message import Message
    from mailml.text import Text

_FACTS = (
    "account", "folder", "uidvalidity", "uid", "sha256", "message_id", "date", "internaldate", "received",
    "from_addr", "from_name", "to", "cc", "subject", "own", "is_reply", "attachments", "has_html", "size",
    "flags", "present", "defects",
)  # fmt: skip
_DATES = ("date", "internaldate", "received")


def frame(
    archive: Archive,
    bundle: Bundle | None = None,
    *,
    folders: Collection[str] | None = None,
    own: Collection[str] = (),
    language: bool = False,
    text: bool = True,
) -> pd.DataFrame:
    """One row per message, in the order they were pulled.

    Columns: account, folder, uidvalidity, uid (the key), sha256, message_id; date (what the sender wrote),
    internaldate (when the server took it) and received (the topmost Received), all UTC; from_addr, from_name,
    domain, to, cc, subject, own (the customer's own words), attachments (file names), is_reply, has_html,
    size, flags, present, defects; thread and joined_by (which interaction, and why), sent (ours). With a
    bundle also kind (people, bounces, automatic replies, …); with `language` the language of the own words;
    `text` is what the classifier reads. `folders` keeps only these; `own` are our addresses, where no bundle
    says so and Sent folders do not show them.

    About 72 MB for 100,000 messages of the sample; raw bytes come from `archive.raw(sha256)`. Raises
    InputError for a folder that is not in the archive.
    """
    table = archive.table(columns=list(_FACTS))
    _check_folders(folders, table.column("folder").unique().to_pylist())
    addresses = _own(archive, own, bundle)
    made = _to_pandas(table)
    made["domain"] = made["from_addr"].str.split("@").str[-1]
    _add_threads(made, archive, addresses, bundle)
    if bundle is not None:
        made["kind"] = _kinds(archive, bundle, made)
    if text:
        made["text"] = _texts(made)
    if language:
        from mailml.text import detect_language

        made["language"] = [detect_language(words) for words in made["own"]]
    if folders is not None:
        made = made[made["folder"].isin(list(folders))].reset_index(drop=True)
    return made


def _to_pandas(table: Any) -> pd.DataFrame:
    """Strings stay in Arrow memory: a tenth of what Python objects take."""
    import pandas as pd
    import pyarrow as pa

    # JupyterLab would set "$5 instead of $9" in a table of mail as a formula
    pd.options.display.html.use_mathjax = False
    columns: dict[str, Any] = {}
    for name in table.column_names:
        column = table.column(name)
        if name == "received":
            # the topmost Received is our own server's; the others are claims
            first = [times[0] if times else None for times in column.to_pylist()]
            column = pa.chunked_array([pa.array(first, pa.timestamp("us", "UTC"))])
        if pa.types.is_list(column.type):
            columns[name] = pd.Series(pd.arrays.ArrowExtensionArray(column))
        else:
            columns[name] = column.to_pandas()
    made = pd.DataFrame(columns)
    strings = [name for name in made.columns if str(made[name].dtype) in ("object", "str")]
    for name in strings:
        made[name] = made[name].fillna("").astype("str")
    for name in ("account", "folder"):
        made[name] = made[name].astype("category")
    for name in _DATES:
        made[name] = pd.to_datetime(made[name], utc=True)
    return made


def _own(archive: Archive, own: Collection[str], bundle: Bundle | None) -> frozenset[str]:
    """Our addresses: those given, the desk's, and whoever wrote the mail in the Sent folders."""
    if own or bundle is not None:
        known = bundle.desk.identity.addresses if bundle is not None else frozenset()
        return known | {address.lower() for address in own}
    pairs = archive.table(columns=["folder", "from_addr"]).to_pydict()
    return frozenset(
        sender
        for folder, sender in zip(pairs["folder"], pairs["from_addr"], strict=True)
        if sender and is_sent(folder)
    )


def _add_threads(made: pd.DataFrame, archive: Archive, own: frozenset[str], bundle: Bundle | None) -> None:
    queues = bundle.flow.queues() if bundle is not None else ()
    placed = {arrival.sha256: arrival for arrival in arrivals(archive, own, queues)}
    found = [placed.get(sha) for sha in made["sha256"]]
    made["thread"] = [arrival.thread if arrival else "" for arrival in found]
    made["joined_by"] = [arrival.joined_by if arrival else "" for arrival in found]
    made["sent"] = [arrival.sent if arrival else False for arrival in found]
    made["thread"] = made["thread"].astype("str")
    made["joined_by"] = made["joined_by"].astype("category")


def _kinds(archive: Archive, bundle: Bundle, made: pd.DataFrame) -> Any:
    """The kind of every message by the replay that decides: it depends on what came before."""
    import pandas as pd

    from mailml.lab.replay import replay

    ledger = replay(archive, bundle)
    kinds = dict(zip(ledger["sha256"], ledger["kind"], strict=True))
    return pd.Categorical([kinds.get(sha, "") for sha in made["sha256"]])


def _texts(made: pd.DataFrame) -> Any:
    """What the classifier reads, by the one function that also makes it when deciding."""
    import pandas as pd

    from mailml.text import classifier_input

    pairs: Iterable[tuple[str, str]] = zip(made["subject"], made["own"], strict=True)
    # classifier_input looks at a message's subject and a text's own words, and both are columns here
    texts = [
        classifier_input(
            cast("Message", SimpleNamespace(subject=subject)), cast("Text", SimpleNamespace(own=own))
        )
        for subject, own in pairs
    ]
    return pd.Series(texts, index=made.index, dtype="str")


def _check_folders(wanted: Collection[str] | None, there: Collection[str]) -> None:
    unknown = [name for name in wanted or () if name not in there]
    if unknown:
        cure = f"The folders are {', '.join(sorted(there)) or 'none: pull first'}"
        raise InputError(f"no folder {', '.join(map(repr, unknown))} in the archive", cure=cure)
