"""Labels that are probably wrong: those the model, not having seen their group, finds least likely.

Sorting by the out-of-fold probability of the given label found label errors as precisely as dedicated
libraries did when measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mailml.lab.train import Trained

if TYPE_CHECKING:
    import pandas as pd


def suspects(trained: Trained, n: int = 20) -> pd.DataFrame:
    """The `n` most doubtful labels, worst first: message, label, what the model says, both probabilities.

    Only labels that the model contradicts are listed. Show them with the label panel; a message's text comes
    from the archive by its hash.
    """
    import pandas as pd

    p, truth = trained.probabilities, trained.truth
    rows = np.arange(len(truth))
    given, best = p[rows, truth], p.argmax(axis=1)
    doubtful = [i for i in np.argsort(given, kind="stable") if best[i] != truth[i]][:n]
    names = np.array(trained.classes, dtype=object)
    return pd.DataFrame(
        {
            "message": [trained.examples.messages[i] for i in doubtful],
            "label": names[truth[doubtful]],
            "probability": given[doubtful],
            "model_says": names[best[doubtful]],
            "with": p[doubtful, best[doubtful]],
        }
    )
