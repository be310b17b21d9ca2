"""The inspectors: what mailml sees in a message. One line per file, in order, whatever the file holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from mailml.autoreply import TextModel, judge
from mailml.bundle import Bundle
from mailml.cli import verdicts
from mailml.cli.sources import Source, read, received_at
from mailml.decide import decide
from mailml.errors import InputError
from mailml.explain import explain, one_line
from mailml.message import Message, parse
from mailml.text import classifier_input, detect_language, own_words
from mailml.thread import Threads
from mailml.verdict import Context, Identity, plain

Row = dict[str, Any]
_TITLES = {
    "sha256": "SHA-256",
    "message_id": "Message-ID",
    "in_reply_to": "In-Reply-To",
    "is_reply": "a reply",
}
Paths = Annotated[list[Path], typer.Argument(help="Files, folders, or an archive made by `mailml pull`.")]
Jsonl = Annotated[bool, typer.Option("--jsonl", help="Print JSON Lines: one object per message.")]
BundleOption = Annotated[Path, typer.Option("--bundle", help="The bundle that decides.")]


def register(app: typer.Typer) -> None:
    """Add the inspectors to the command line."""
    for command in (parse_, text_, autoreply_, classify_, decide_):
        app.command(command.__name__.rstrip("_"))(command)
    app.command("explain", help="Say why a mail goes where, as a tree for people.")(explain_)


def parse_(paths: Paths, jsonl: Jsonl = False) -> None:
    """Print the facts of each message.

    Identity, addresses, dates, parts, and what was broken.
    """
    _each(paths, jsonl, lambda source, message: message.facts())


def text_(paths: Paths, jsonl: Jsonl = False) -> None:
    """Print the words this customer wrote now.

    Without quoted history, signature and disclaimer.
    """

    def row(source: Source, message: Message) -> Row:
        text = own_words(message)
        return {
            "subject": message.subject,
            "own": text.own,
            "language": detect_language(text.own),
            "quoted": text.quoted,
            "signature": text.signature,
            "truncated": text.truncated,
        }

    _each(paths, jsonl, row)


def autoreply_(
    paths: Paths,
    jsonl: Jsonl = False,
    own: Annotated[
        list[str] | None,
        typer.Option(
            "--own",
            help="One of our addresses (support@…); repeatable. Without any, mail to others counts as to us.",
        ),
    ] = None,
    bundle: Annotated[
        Path | None, typer.Option("--bundle", help="Take our addresses and the text model from here.")
    ] = None,
) -> None:
    """Say what kind of mail each is, with the evidence.

    And whether an acknowledgement is allowed, or why not.

    A path that does not exist and a file that cannot be read have their line too; the exit code is then 1.
    """
    loaded = Bundle.load(bundle) if bundle else None
    identity = loaded.desk.identity if loaded else _identity(own or [])
    # without a bundle the model that mailml ships is asked, so that the answer is that of a new desk
    model = loaded.text_model if loaded else TextModel.shipped()

    failed = False
    for source in read(paths, lenient=True):
        message = parse(source.raw)
        verdict = judge(message, own_words(message), identity, _context(source, message), model)
        failed = failed or bool(source.error)
        if jsonl:
            row = verdicts.unread(source.error) if source.error else verdicts.row_of(verdict)
            typer.echo(json.dumps({"file": source.name, **row}))
        elif source.error:
            verdicts.show_unread(source.name, source.error)
        else:
            verdicts.show(source.name, message, verdict)
    if failed:
        raise typer.Exit(1)


def classify_(paths: Paths, bundle: BundleOption, jsonl: Jsonl = False) -> None:
    """Say which category each message is, and how sure.

    With probabilities and the words that decided.
    """
    loaded = Bundle.load(bundle)

    def row(source: Source, message: Message) -> Row:
        if loaded.model is None:
            return {"label": None, "reason": "the bundle holds no classifier"}
        return dict(plain(loaded.model.categorize(classifier_input(message, own_words(message)))))

    _each(paths, jsonl, row)


def decide_(paths: Paths, bundle: BundleOption, jsonl: Jsonl = False) -> None:
    """Make the whole decision on each message.

    With the trace of every rule tried.
    """
    if not jsonl:
        explain_(paths, bundle)
        return
    loaded = Bundle.load(bundle)

    def row(source: Source, message: Message) -> Row:
        return dict(plain(decide(message, loaded, _context(source, message))))

    _each(paths, jsonl, row)


def explain_(
    paths: Paths,
    bundle: BundleOption,
    archive: Annotated[
        Path | None, typer.Option("--archive", help="With --labels: also show labelled messages like it.")
    ] = None,
    labels: Annotated[Path | None, typer.Option("--labels", help="The label store (labels.jsonl).")] = None,
) -> None:
    """Say why each message goes where: kind, rules, category, acknowledgement, due time."""
    loaded = Bundle.load(bundle)
    look = _look_alikes(archive, labels)
    desk = loaded.desk
    threads = Threads(ours=desk.identity.addresses, same_subject=desk.same_subject)
    for source in read(paths):
        if source.error:
            typer.echo(_sheet({"file": source.name, "error": source.error}))
            continue
        message = parse(source.raw)
        context = _context(source, message)
        made = decide(message, loaded, context)
        joined = threads.place(message, at=context.received_at)
        typer.echo(_encoded(explain(source.name, message, made, loaded, context.received_at, joined)))
        for line in look(message):
            typer.echo(_encoded(line))


def _look_alikes(archive: Path | None, labels: Path | None) -> Callable[[Message], list[str]]:
    """A function that finds the labelled messages most like one; nothing without an archive and labels."""
    if archive is None or labels is None:
        if archive is not labels:
            raise InputError("look-alikes need both --archive and --labels", cure="Give both, or neither")
        return lambda message: []
    from mailml.archive import Archive
    from mailml.lab.examples import from_frame
    from mailml.lab.frame import frame
    from mailml.lab.labels import Labels
    from mailml.lab.neighbours import Neighbours

    found = Neighbours(from_frame(frame(Archive.open(archive)), Labels(labels)))

    def look(message: Message) -> list[str]:
        text = classifier_input(message, own_words(message))
        alike = found.of(text, leaving_out=(message.sha256,)) if text.strip() else ()
        told = [
            f"      {one.likeness:.2f}  {one_line(one.label, 20):<14} {one_line(one.text)}" for one in alike
        ]
        return ["   labelled messages like it", *(told or ["      none shares a word with it"]), ""]

    return look


def _each(paths: list[Path], jsonl: bool, make: Callable[[Source, Message], Row]) -> None:
    """Print one line per message; a file that cannot be read gets its line too."""
    for source in read(paths):
        row: Row = {"file": source.name}
        row |= {"error": source.error} if source.error else make(source, parse(source.raw))
        # ASCII escapes: the output stays valid JSON even for lone surrogates in hostile mail
        typer.echo(json.dumps(row) if jsonl else _sheet(row))


def _sheet(row: Row) -> str:
    """A row for people: one field per line, long values indented, no control characters."""
    lines = [f"== {_shown(row['file'])}"]
    for name, given in row.items():
        value = "no answer" if name == "label" and given is None else given
        if name != "file" and value not in ("", None, [], {}, False):
            title = _TITLES.get(name, name.replace("_", " "))
            lines.append(f"{title:>16}  " + _shown(_told(value, name)).replace("\n", "\n" + " " * 18))
    return "\n".join(lines) + "\n"


def _told(value: Any, name: str = "") -> str:
    """A value for people: a line for each item of a list, the fields of an object side by side."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "  ".join(_told(item, key) for key, item in value.items() if item not in ("", None, [], {}))
    if isinstance(value, list) and value and isinstance(value[0], list):
        return ", ".join(" ".join(_told(item, name) for item in pair) for pair in value)
    if isinstance(value, list):
        return "\n".join(_told(item, name) for item in value)
    if name == "size":
        return f"{value:,} byte{'s' * (value != 1)}"
    if name == "addr":
        return f"<{value}>"
    if name in ("date", "received"):
        return f"{datetime.fromisoformat(value):%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(value, float):
        return f"{value:.1%}" if name.startswith("probabilit") else f"{value:.3f}"
    return str(value)


def _shown(text: str) -> str:
    """The text without what could move a terminal's cursor or colour."""
    safe = "".join(
        char if char.isprintable() or char == "\n" else "\N{REPLACEMENT CHARACTER}" for char in text
    )
    return _encoded(safe)


def _encoded(text: str) -> str:
    """Lone surrogates of hostile mail cannot be printed."""
    return text.encode("utf-8", "replace").decode()


def _context(source: Source, message: Message) -> Context:
    """The context of a mail seen alone: it arrives now, opens an interaction, and no limit is reached."""
    when = received_at(source, message)
    return Context(received_at=when, now=when, mailbox=source.mailbox)


def _identity(addresses: list[str]) -> Identity:
    lowered = frozenset(address.strip().lower() for address in addresses)
    return Identity(addresses=lowered, domains=frozenset(item.rpartition("@")[2] for item in lowered))
