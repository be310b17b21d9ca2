"""The whole demo: server, mailbox, the real commands, live mail, and what it proves."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from mailml.demo import live, settings
from mailml.demo.board import Board, Claim, as_hoped, claims
from mailml.demo.running import Running, fill, running
from mailml.demo.steps import Shell
from mailml.lab import sample
from mailml.message import parse
from mailml.transport.imap import connect

# The sample's mail ends on 30 October: the last two months are left for the back-test to judge.
TRAINED_UNTIL = "2026-09-01"
# The history side: (command, why, lines of its output that are shown).
HISTORY = (
    ("mailml pull --config mailml.toml --archive archive --quiet", "Pull the mailbox, read-only", 14),
    ("mailml status --archive archive", "What the archive holds", 14),
    ("mailml label --archive archive --labels labels.jsonl --from-folders", "Labels from the folders", 5),
    (
        f"mailml train --archive archive --labels labels.jsonl --until {TRAINED_UNTIL} --out model",
        "Train the classifier, on the first ten months",
        4,
    ),
    (
        "mailml evaluate --archive archive --model model --out evaluation.html --no-control",
        "How good is it?",
        14,
    ),
    (
        "mailml export --archive archive --model model --flow flow.toml --desk desk.toml --out bundle",
        "Export",
        2,
    ),
    ("mailml backtest --archive archive --bundle bundle --out backtest", "Back-test on a year of mail", 8),
)
VERIFY = f"{live.DECISIONS} --verify"
_REPORT = "mailml report --archive archive --bundle bundle"
REPORTS = (
    (f"{_REPORT} --kind misrouting --out misrouting.html", "What was misrouted"),
    (f"{_REPORT} --kind sla --out sla.html", "How fast people were answered"),
    (f"{_REPORT} --kind overview --decisions decisions.jsonl --out report.html", "The report"),
)


def run(output: Path = Path("demo-output"), *, messages: int = 3000, console: Console | None = None) -> int:
    """Run the demo into a folder and give back the exit code: 0 when every claim held.

    Raises InputError for a folder that holds other files, MissingExtraError without the extra `demo`, and
    StepError for a command that failed.
    """
    console, output, began = console or _console(), output.resolve(), time.monotonic()
    settings.prepare(output)
    with running(log=output / "server.log") as server:
        settings.write(output, server)
        shell = Shell(output, console)
        _fill(server, output, messages, console)
        for command, why, lines in HISTORY:
            shell.step(command, why, lines=lines)
        proven, board = _serve(server, shell)
        for command, why in REPORTS:
            shell.step(command, why, lines=2)
    _finish(console, output, proven, board, time.monotonic() - began)
    return 0 if all(claim.held for claim in proven) else 1


def _console() -> Console:
    """The terminal; a file or a pipe gets lines of 110 columns."""
    console = Console()
    return console if console.is_terminal else Console(width=110)


def _fill(server: Running, output: Path, messages: int, console: Console) -> None:
    """The made-up mailbox, put into the server over IMAP."""
    box = sample.generate(messages=messages)
    box.write_truth(output / "truth.jsonl")
    said = f"[bold]A mailbox of {len(box):,} messages over twelve months[/bold]"
    with Progress(console=console, transient=True) as progress, connect(server.desk()) as session:
        task = progress.add_task(said, total=len(box))
        fill(session, box, lambda count: progress.update(task, completed=count))
    where = f"{len(box.folders())} folders of {server.user} on {server.host}:{server.imap}"
    console.print(f"{said} in {where}", highlight=False)


def _serve(server: Running, shell: Shell) -> tuple[list[Claim], Board]:
    """The service on live mail: two waves, then what left the server is counted."""
    shell.console.print(f"\n[bold]The service runs[/bold]\n[cyan]$ {live.RUN}[/cyan]", highlight=False)
    board, log = Board(), shell.folder / "serve.log"
    with shell.service(live.RUN, log) as process:
        live.wait_until_ready(shell, process, log)
        live.send_and_watch(shell, server, board, live.people(), "Live mail")
        live.send_and_watch(
            shell, server, board, live.away(server.left()), "… and customers are out of office"
        )
    lines = live.decisions(shell, VERIFY)
    board.update(lines)
    (shell.folder / "decisions.jsonl").write_bytes(shell.quietly(live.DECISIONS).stdout)
    left = server.left()
    answers = [parse(raw).in_reply_to[0] for raw in left if parse(raw).in_reply_to]
    return claims(board, left, answers, all(line.get("same_again") is not False for line in lines)), board


def _finish(console: Console, output: Path, proven: list[Claim], board: Board, seconds: float) -> None:
    table = Table(title="What this run has shown", title_justify="left", show_header=False)
    table.add_column()
    table.add_column(no_wrap=True)
    table.add_column()
    for claim in proven:
        mark = "[green]yes[/green]" if claim.held else "[red]NO[/red]"
        table.add_row(mark, claim.says, claim.figures)
    right, total = as_hoped(board)
    table.add_row("", "live mails in the queue a person would choose", f"{right} of {total}")
    table.add_row("", "old mails of INBOX routed on the way, none acknowledged", str(len(board.others)))
    table.add_row("", "the whole demo", f"{seconds:.0f} s")
    console.print()
    console.print(table)
    console.print(f"Report: file://{output / 'report.html'}", soft_wrap=True, highlight=False)
    ended = "the demo's mail server has ended"
    again = f"Every command above can be run again in {output.name}, except pull and serve: {ended}."
    console.print(again, style="dim", highlight=False)
    console.print(
        f"\nNext:\n  make lab\n  {_command()} pull --config my.toml --archive my-archive", soft_wrap=True
    )
    here = (
        f"the notebooks; your own mailbox, read-only, its account in my.toml as in {output.name}/mailml.toml"
    )
    console.print(f"  [dim]({here})[/dim]", highlight=False)


def _command() -> str:
    """`mailml` as it can be typed here: by its path where its environment lies below this folder."""
    script = Path(sys.prefix, "bin", "mailml")
    near = script.exists() and script.is_relative_to(Path.cwd())
    return str(script.relative_to(Path.cwd())) if near else "mailml"
