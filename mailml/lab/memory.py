"""What deciding an archive once has shown, kept for the next time: a changed rule is decided in a fraction.

A change of the flow touches neither what a message is (its words, its kind, its sender) nor what the
classifier says of it. Both are kept here, per message and per model, and `mailml.decide` concludes again.
Nothing is approximated: what is kept are the values that the code of production made.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable
from dataclasses import replace
from datetime import timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from mailml.archive import Archive, parts
from mailml.classifier import Model
from mailml.decide import Examined, conclude, examine
from mailml.lab.arrivals import Arrival, arrivals
from mailml.message import Message, parse
from mailml.text import Text, own_words
from mailml.verdict import Category, Context, Decision, Verdict

if TYPE_CHECKING:
    from mailml.bundle import Bundle

# A parsed mail and its texts take some three times its size; 400 MB hold a year of most desks.
MOST_BYTES = 400_000_000
_COST = 3


class Answers(Model):
    """A classifier that remembers what it said: each text is scored once, whatever the rules are."""

    said: dict[bytes, Category]

    @classmethod
    def of(cls, model: Model, said: dict[bytes, Category]) -> Answers:
        """The same classifier with a memory, keyed by a hash of the text it read."""
        made = cls(**{name: getattr(model, name) for name in Model.__dataclass_fields__})
        object.__setattr__(made, "said", said)
        return made

    def categorize(self, text: str) -> Category:
        """What `Model.categorize` says, asked once per text."""
        key = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        known = self.said.get(key)
        if known is None:
            known = self.said[key] = super().categorize(text)
        return known


class Memory:
    """What is known of the messages of one archive, and what each classifier said of them."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._left = most_bytes
        self._read: dict[str, tuple[Message, Text]] = {}  # by SHA-256, while there is room
        self._judged: dict[Hashable, dict[tuple[str, Context], tuple[Verdict, bool]]] = {}
        self._said: dict[str, dict[bytes, Category]] = {}  # by the model's id, which names its numbers
        self._ours: dict[str, bool] = {}
        self._history: dict[Hashable, list[Arrival]] = {}

    def __repr__(self) -> str:
        answers = sum(map(len, self._said.values()))
        return f"Memory({len(self._read)} messages read, {answers} answers of {len(self._said)} classifiers)"

    def bundle(self, bundle: Bundle) -> Bundle:
        """The bundle with a classifier that remembers; equal in every answer."""
        if bundle.model is None or isinstance(bundle.model, Answers):
            return bundle
        said = self._said.setdefault(bundle.model.id, {})
        return replace(bundle, model=Answers.of(bundle.model, said))

    def holds(self, sha256: str) -> bool:
        """Whether a message is at hand, so that its bytes need not be read again."""
        return sha256 in self._read or sha256 in self._ours

    def decide(self, sha256: str, raw: Callable[[], bytes], bundle: Bundle, context: Context) -> Decision:
        """`decide` of a message, `raw` being asked for its bytes only where they are not at hand."""
        return conclude(self.examine(sha256, raw, bundle, context), bundle, context)

    def examine(self, sha256: str, raw: Callable[[], bytes], bundle: Bundle, context: Context) -> Examined:
        """The first half of it: what the message is, before any rule is asked."""
        stamp = (bundle.desk.identity, bundle.text_model.version if bundle.text_model else "")
        judged = self._judged.setdefault(stamp, {})
        message, text = self._message(sha256, raw)
        found = judged.get((sha256, context))
        if found is not None:
            return Examined(message, text, *found)
        known = examine(message, bundle, context, text)
        judged[sha256, context] = known.verdict, known.trusted
        return known

    def is_ours_automatic(
        self, sha256: str, raw: Callable[[], bytes], judge: Callable[[Message], bool]
    ) -> bool:
        """Whether a mail of ours was written by a machine; it is read once."""
        if sha256 not in self._ours:
            self._ours[sha256] = judge(parse(raw()))
        return self._ours[sha256]

    def arrivals(
        self,
        archive: Archive,
        own: Collection[str],
        queues: Collection[str],
        loop_key: bytes,
        same_subject: timedelta = timedelta(),
    ) -> list[Arrival]:
        """The archive in order of arrival, placed again only where it grew or other queues have folders."""
        held = [*parts.listed(archive.layout.raw), *parts.listed(archive.layout.state)]
        key = (tuple(part.name for part in held), frozenset(own), tuple(queues), loop_key, same_subject)
        if key not in self._history:
            # an archive that has grown will not shrink again
            self._history = {old: rows for old, rows in self._history.items() if old[0] == key[0]}  # type: ignore[index]
            self._history[key] = arrivals(archive, own, queues, loop_key=loop_key, same_subject=same_subject)
        return self._history[key]

    def _message(self, sha256: str, raw: Callable[[], bytes]) -> tuple[Message, Text]:
        known = self._read.get(sha256)
        if known is None:
            message = parse(raw())
            known = message, own_words(message)
            self._keep(sha256, known)
        return known

    def _keep(self, sha256: str, known: tuple[Message, Text]) -> None:
        size = _COST * known[0].size
        if size <= self._left:
            self._left -= size
            self._read[sha256] = known


_MEMORIES: WeakKeyDictionary[Archive, Memory] = WeakKeyDictionary()


def memory_of(archive: Archive) -> Memory:
    """The memory that belongs to an archive for as long as it is open in this process."""
    memory = _MEMORIES.get(archive)
    if memory is None:
        memory = _MEMORIES[archive] = Memory()
    return memory
