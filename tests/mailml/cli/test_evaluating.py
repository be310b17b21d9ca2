"""`mailml train`, `evaluate`, `explain`: good mail, and what is missing or strange, in clear words."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailml.archive import Archive
from mailml.archive.rows import Arrival
from mailml.cli import main
from mailml.lab.labels import Label, Labels
from tests.mailml.lab.tickets import tickets

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TICKETS = tickets(120)
BOUNDARY = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
ODD = {
    "empty": b"From: o0@odd.example\r\nSubject:\r\n\r\n",
    "emoji": "From: o1@odd.example\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n😀😀👍".encode(),
    "mixed": (
        "From: o2@odd.example\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        "Здравствуйте, 我的发票 is wrong \u202egnorw\u202c مرحبا"
    ).encode(),
    "attachment": b"From: o3@odd.example\r\n"
    + BOUNDARY
    + b"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\r\n"
    + b"%PDF\r\n--b--\r\n",
    "huge": b"From: o4@odd.example\r\nSubject: big\r\n\r\n"
    + b"I was charged twice for the planner. " * 280_000,
}


def mail(number: int) -> bytes:
    """One ticket as a mail."""
    head = (
        f"From: {TICKETS.senders[number]}\r\nTo: support@acme.example\r\nMessage-ID: <{number}@x.example>\r\n"
    )
    return f"{head}Subject: \r\n\r\n{TICKETS.texts[number]}\r\n".encode()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of tickets and of mail that is strange."""
    place = tmp_path_factory.mktemp("archive") / "a"
    bodies = [mail(n) for n in range(len(TICKETS.texts))] + list(ODD.values())
    store = Archive.open(place, create=True)
    store.append(
        Arrival("me", "INBOX", 1, uid + 1, raw, NOW + timedelta(hours=uid)) for uid, raw in enumerate(bodies)
    )
    store.index()
    return place


@pytest.fixture(scope="module")
def store(archive: Path) -> Path:
    """Labels of all tickets, and of all strange mails."""
    return labelled(archive.parent / "all.jsonl", dict(enumerate(TICKETS.labels)), odd=True)


@pytest.fixture(scope="module")
def model(archive: Path, store: Path) -> Path:
    """A model trained on the command line."""
    place = archive.parent / "model"
    code, out, _ = call("train", "--archive", archive, "--labels", store, "--out", place)
    assert code == 0, out
    return place


def labelled(path: Path, labels: dict[int, str], *, odd: bool = False) -> Path:
    """A label store for some tickets."""
    rows = {Arrival("", "", 1, 1, mail(n)).sha256: label for n, label in labels.items()}
    if odd:
        rows |= {Arrival("", "", 1, 1, raw).sha256: "general" for raw in ODD.values()}
    Labels(path).add([Label(sha, label, "anna", "panel", NOW) for sha, label in rows.items()])
    return path


def call(*arguments: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one call."""
    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["mailml", *map(str, arguments)]
    code = 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as ended:
        code = int(ended.code or 0)
    finally:
        sys.argv = before
    return code, out.getvalue(), err.getvalue()


def test_strange_mail_trains_and_is_noted(archive: Path, store: Path, model: Path) -> None:
    """Empty mail and attachments alone are left out with a note; emoji and ten megabytes are no matter."""
    code, out, _ = call("evaluate", "--archive", archive, "--model", model, "--labels", store, "--no-control")
    assert code == 0
    assert "2 labelled messages have no text and were left out." in out
    assert "123 labelled messages of a frame" in out


def test_evaluate_prints_everything(archive: Path, model: Path, tmp_path: Path) -> None:
    """Classes, comparison, leakage, slices; as JSON the same; the card is written."""
    card = tmp_path / "card.html"
    options = ("--archive", archive, "--model", model, "--no-control")
    code, out, _ = call("evaluate", *options, "--by", "language,length", "--out", card)
    assert code == 0
    for part in (
        "billing",
        "F1",
        "all to general",
        "calibration error",
        "No leakage",
        "language",
        "up to 200",
    ):
        assert part in out
    assert "Evaluation card" in card.read_text(encoding="utf-8")
    told = json.loads(call("evaluate", *options, "--by", "month", "--json")[1])
    assert told["leakage"]["leaking"] == 0
    assert set(told["by"]) == {"month"}


def test_evaluate_by_other_splits(archive: Path, model: Path) -> None:
    """A random split says that it flatters; an unknown one names those there are."""
    options = ("--archive", archive, "--model", model, "--no-control")
    assert "flatters" in call("evaluate", *options, "--split", "random")[1]
    code, _, err = call("evaluate", *options, "--split", "lucky")
    assert code == 1
    assert "grouped, time, random" in err
    code, _, err = call("evaluate", *options, "--by", "zodiac")
    assert code == 1
    assert "language, month, length, sender_domain" in err


def test_two_models_are_compared(archive: Path, store: Path, model: Path, tmp_path: Path) -> None:
    """`--against` names both by their folders and prints a paired test."""
    other = tmp_path / "second"
    assert call("train", "--archive", archive, "--labels", store, "--out", other)[0] == 0
    options = ("--archive", archive, "--model", model, "--against", other, "--no-control")
    out = call("evaluate", *options)[1]
    assert "model is not told apart from second" in out
    assert "McNemar's exact p = 1" in out
    told = json.loads(call("evaluate", *options, "--json")[1])
    assert told["against"]["verdict"] == "not told apart"


TRAININGS = {
    "no labels": ({}, "there are no labels"),
    "one class": (dict.fromkeys(range(40), "billing"), "all 40 labels say 'billing'"),
    "three examples of a class": (
        {n: "billing" if n > 2 else "sales" for n in range(40)},
        "'sales' has 3; each category needs at least 5",
    ),
}


@pytest.mark.parametrize("name", TRAININGS)
def test_labels_that_cannot_train(archive: Path, tmp_path: Path, name: str) -> None:
    """No labels, one class, three examples: one sentence on standard error, exit code 1, nothing written."""
    labels, sentence = TRAININGS[name]
    path = labelled(tmp_path / "some.jsonl", labels)
    code, out, err = call("train", "--archive", archive, "--labels", path, "--out", tmp_path / "m")
    assert code == 1
    assert sentence in err
    assert err.count("\n") <= 2
    assert not out
    assert not (tmp_path / "m").exists()


def test_labels_for_messages_that_are_gone(archive: Path, tmp_path: Path) -> None:
    """All gone is refused with what may have happened; some gone is noted and counted."""
    path = tmp_path / "gone.jsonl"
    gone = [Label(f"{n:064x}", "billing", "anna", "panel", NOW) for n in range(3)]
    Labels(path).add(gone)
    code, _, err = call("train", "--archive", archive, "--labels", path, "--out", tmp_path / "m")
    assert code == 1
    assert "none of the 3 labels is for a message of this frame" in err
    some = labelled(tmp_path / "some.jsonl", dict(enumerate(TICKETS.labels)))
    Labels(some).add(gone)
    code, out, _ = call("train", "--archive", archive, "--labels", some, "--out", tmp_path / "m")
    assert code == 0
    assert "3 labels are for messages that are not in the frame." in out


def test_all_mail_in_one_thread(tmp_path: Path) -> None:
    """Mail that all belongs together cannot be tested: that is said, with the class and the cure."""
    from mailml.errors import NotEnoughData
    from mailml.lab.train import train

    with pytest.raises(NotEnoughData, match=r"belong together.*Label messages of other customers too"):
        train(TICKETS.texts, TICKETS.labels, threads=["one"] * len(TICKETS.texts))


def test_a_class_that_is_never_said(archive: Path, tmp_path: Path) -> None:
    """A category whose labels are noise has no precision and says so: `unknown`, not a crash or a 0."""
    from mailml.lab.evaluate import evaluate
    from mailml.lab.train import train

    noise = ["never" if n % 12 == 5 else label for n, label in enumerate(TICKETS.labels)]
    made = evaluate(train(TICKETS.texts, noise, senders=TICKETS.senders, withhold=False), control=False)
    row = next(figures for figures in made.per_class if figures.label == "never")
    assert row.said == 0
    assert str(row.precision) == "unknown"
    assert row.recall.value == 0
    assert "unknown" in made._repr_html_()


def test_explain_shows_labelled_look_alikes(archive: Path, store: Path, tmp_path: Path) -> None:
    """With an archive and labels `mailml explain` adds labelled messages like the mail."""
    from tests.mailml.cli.test_inspectors import BUNDLE

    (tmp_path / "odd").mkdir()
    path = tmp_path / "a.eml"
    path.write_bytes(b"From: a@new.example\r\nSubject: App\r\n\r\nI was charged twice for the planner.\r\n")
    for name, raw in ODD.items():
        (tmp_path / "odd" / f"{name}.eml").write_bytes(raw)
    options = ("explain", path, "--bundle", BUNDLE)
    out = call(*options, "--archive", archive, "--labels", store)[1]
    assert "labelled messages like it" in out
    assert "billing" in out.partition("like it")[2]
    code, _, err = call(*options, "--labels", store)
    assert code == 1
    assert "both --archive and --labels" in err
    code, out, _ = call(
        "explain", tmp_path / "odd", "--bundle", BUNDLE, "--archive", archive, "--labels", store
    )
    assert code == 0
    assert out.count("labelled messages like it") == len(ODD)
    assert "the message has no text" in out
