"""`lab.mine`: labels from what agents did, with the reason for each and for every message left out.

    mined = lab.mine(archive, bundle, journal="feedback.jsonl")
    mined.summary()
    mined.merge(lab.labels.Labels("labels.jsonl"))

The final queue of a message after some days is what agents say it is. Left out are the router's own moves,
bulk moves, Trash and Junk, automated mail, and what is over the caps per sender, thread and text.
"""

from mailml.lab.mine.caps import Caps
from mailml.lab.mine.mined import Mined, mine
from mailml.lab.mine.moves import Known
from mailml.lab.mine.review import disagreements, review, to_review

__all__ = ["Caps", "Known", "Mined", "disagreements", "mine", "review", "to_review"]
