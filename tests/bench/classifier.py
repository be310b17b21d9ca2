"""The classifier beside plain scikit-learn, on labelled customer texts that nothing here was trained on.

    python -m tests.bench.classifier [--full] [--set bitext|banking77|clinc150]

For 100, 300 and 1,000 labels (50 to 3,000 with --full): accuracy, macro-F1, log-loss, calibration error and
cost per 1,000 of our default next to a plain TF-IDF + logistic regression, on topics it knows and on whole
intents that training never saw. Then the speed of one text -> probability as a ratio to the scikit-learn
pipeline that holds the same numbers. Only ratios mean anything on a shared machine.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mailml.classifier import Policy
from mailml.errors import NotEnoughData
from mailml.lab import measures
from mailml.lab.resampling import Bootstrap
from mailml.lab.train import train
from tests.conftest import shared_folder

GOAL_SINGLE, GOAL_BATCH = 0.4, 0.5
Row = tuple[str, str, str]  # text, category, intent

BILLING = {
    "bitext": ("INVOICE", "PAYMENT", "REFUND", "CANCELLATION_FEE"),
    "banking77": ("charge", "fee", "refund", "exchange", "payment", "cash_withdrawal", "rate"),
    "clinc150": (
        "bill",
        "pay",
        "balance",
        "interest",
        "tax",
        "transaction",
        "credit",
        "spending",
        "rate",
        "apr",
    ),
}
TECHNICAL = {
    "bitext": ("ACCOUNT", "ORDER"),
    "banking77": ("not_working", "pin", "passcode", "declined", "failed", "verify", "compromised",
                  "lost", "top_up"),
    "clinc150": ("wifi", "device", "setting", "sync", "pin", "account_blocked", "password", "volume",
                 "alarm", "phone"),
}  # fmt: skip


@dataclass(frozen=True)
class Figures:
    """What one way of deciding is worth on one test set."""

    accuracy: float
    macro_f1: float
    log_loss: float
    ece: float
    cost: float  # per 1,000 messages, at the default cost matrix

    def __str__(self) -> str:
        return f"{self.accuracy:8.3f}{self.macro_f1:8.3f}{self.log_loss:9.3f}{self.ece:8.3f}{self.cost:9.0f}"


def load(name: str, folder: Path) -> list[Row]:
    """(text, category, intent) of one set, shuffled with a fixed seed; categories by words in the intent."""
    if name == "clinc150":
        data = json.loads((folder / "clinc150_full.json").read_text())
        pairs = [(text, intent) for part in ("train", "val", "test") for text, intent in data[part]]
    elif name == "banking77":
        with open(folder / "banking77_train.csv", newline="") as file:
            pairs = [(row["text"], row["category"]) for row in csv.DictReader(file)]
    else:
        with open(folder / "bitext_customer_support.csv", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["category"] != "category"]
        made = [(row["utterance"], category("bitext", row["category"]), row["intent"]) for row in rows]
        random.Random(1).shuffle(made)
        return made
    made = [(text, category(name, intent), intent) for text, intent in pairs]
    random.Random(1).shuffle(made)
    return made


def category(name: str, intent: str) -> str:
    """billing, technical or general, by what the intent is called."""
    low = intent if name == "bitext" else intent.lower()
    if any(word in low for word in BILLING[name]):
        return "billing"
    return "technical" if any(word in low for word in TECHNICAL[name]) else "general"


def hold_out(rows: Sequence[Row], share: float = 0.3) -> tuple[list[Row], list[Row]]:
    """(known, unseen): whole intents of every category held out."""
    rng, unseen = random.Random(2), set[str]()
    for name in ("billing", "general", "technical"):
        intents = sorted({intent for _, cat, intent in rows if cat == name})
        rng.shuffle(intents)
        unseen |= set(intents[: max(1, round(share * len(intents)))])
    return [r for r in rows if r[2] not in unseen], [r for r in rows if r[2] in unseen]


def judge(
    p: np.ndarray, classes: Sequence[str], rows: Sequence[Row], said: np.ndarray | None = None
) -> Figures:
    """Figures of probabilities on rows; `said` are decided actions, the likeliest class where None."""
    policy = Policy(tuple(classes))
    truth = np.array([list(classes).index(cat) for _, cat, _ in rows])
    best = p.argmax(axis=1)
    taken = best if said is None else said
    alone = Bootstrap(np.arange(len(truth)), rounds=50)
    f1 = measures.macro_f1(truth, best, len(classes), alone).value
    cost = 1000 * policy.matrix()[truth, taken].mean()
    ece = measures.ece(truth, p)
    return Figures(float((best == truth).mean()), f1, measures.log_loss(truth, p), ece, float(cost))


def plain(rows: Sequence[Row]) -> Any:
    """The straightforward pipeline: TF-IDF of words and characters, logistic regression."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import FeatureUnion, make_pipeline

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2, max_features=20_000)
    chars = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, min_df=2, max_features=30_000
    )
    pipe = make_pipeline(FeatureUnion([("w", words), ("c", chars)]), LogisticRegression(C=10, max_iter=500))
    return pipe.fit([text for text, _, _ in rows], [cat for _, cat, _ in rows])


def quality(name: str, rows: Sequence[Row], sizes: Sequence[int]) -> None:
    """One table per set: by number of labels, on known topics and on unseen ones."""
    known, unseen = hold_out(rows)
    tests = {"known topics": known[-2000:], "unseen topics": unseen[:2000]}
    print(f"\n{name}: {len(rows)} texts")
    print(f"{'labels':>7}  {'':14}{'':28}{'accuracy':>8}{'macroF1':>8}{'logloss':>9}{'ECE':>8}{'cost':>9}")
    for size in sizes:
        part = known[:size]
        try:
            ours = train([t for t, _, _ in part], [c for _, c, _ in part], least=2)
        except NotEnoughData as error:
            print(f"{size:7}  {error}")
            continue
        baseline = plain(part)
        for where, test in tests.items():
            texts = [text for text, _, _ in test]
            p, q = ours.model.probas(texts), baseline.predict_proba(texts)
            said = ours.policy.taken(p)
            line(size, where, "scikit-learn, likeliest", judge(q, ours.classes, test))
            line(size, where, "ours, likeliest", judge(p, ours.classes, test))
            line(size, where, "ours, least cost", judge(p, ours.classes, test, said))
            general = np.full(len(test), ours.policy.actions.index("general"))
            line(size, where, "all to general", judge(p, ours.classes, test, general))


def line(size: int, where: str, who: str, figures: Figures) -> None:
    """One line of a table."""
    print(f"{size:7}  {where:14}{who:28}{figures}")


def speed(rows: Sequence[Row], size: int = 1000) -> tuple[float, float, float]:
    """(single ratio, batch ratio, largest difference) of ours against the pipeline with the same numbers."""
    from tests.mailml.test_classifier import exported

    part = rows[:size]
    pipe = plain(part)
    from mailml.classifier import Model

    texts = mails([text for text, _, _ in rows[size : size + 3000]])
    model = Model.from_arrays(*exported_names(exported, pipe))
    gap = float(np.abs(model.probas(texts) - pipe.predict_proba(texts)).max())
    cold = Model.from_arrays(*exported_names(exported, pipe))
    single = clock(lambda: [cold.proba(t) for t in texts]) / clock(
        lambda: [pipe.predict_proba([t]) for t in texts]
    )
    cold = Model.from_arrays(*exported_names(exported, pipe))
    batch = clock(lambda: cold.probas(texts)) / clock(lambda: pipe.predict_proba(texts))
    return single, batch, gap


def exported_names(exported: Callable[[Any], Any], pipe: Any) -> Any:
    """The pipeline's numbers as arrays; its blocks are called w and c."""
    return exported(pipe)


def mails(texts: Sequence[str], sentences: int = 8) -> list[str]:
    """Texts of the length of a mail, about a hundred words, put together from short ones."""
    return [" ".join(texts[i : i + sentences]) for i in range(0, len(texts) - sentences, sentences)][:300]


def clock(work: Callable[[], object]) -> float:
    """CPU seconds of one run."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="all sets, 50 to 3,000 labels")
    parser.add_argument("--set", choices=sorted(BILLING), help="one set only")
    chosen = parser.parse_args()
    folder = shared_folder() / "tickets"
    names = [chosen.set] if chosen.set else sorted(BILLING) if chosen.full else ["banking77"]
    sizes = (50, 100, 300, 1000, 3000) if chosen.full else (100, 300, 1000)
    for name in names:
        rows = load(name, folder)
        quality(name, rows, sizes)
    single, batch, gap = speed(rows)
    print(f"\nspeed, same numbers (difference {gap:.0e}), CPU time as a ratio to the scikit-learn pipeline")
    print(f"  one mail at a time {single:.2f}  (goal {GOAL_SINGLE})")
    print(f"  in a batch         {batch:.2f}  (goal {GOAL_BATCH})")


if __name__ == "__main__":
    main()
