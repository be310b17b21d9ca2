"""`mailml lint`: what is remarkable about a flow before anybody runs it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailml.bundle import Bundle, Desk, check_rules
from mailml.bundle import desk as desks
from mailml.flow import Flow, source
from mailml.flow.lint import Finding
from mailml.flow.lint import lint as examine

if TYPE_CHECKING:
    from mailml.lab.lint_archive import Linted


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(lint)


def lint(
    flow: Annotated[Path, typer.Argument(help="The flow (flow.toml).")],
    desk: Annotated[
        Path | None, typer.Option("--desk", help="The desk it is for: its categories, addresses, templates.")
    ] = None,
    archive: Annotated[
        Path | None,
        typer.Option("--archive", help="Also try the rules on this archive: which never fire, which differ."),
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option("--bundle", help="The bundle it is for: its desk, and the classifier that rules ask."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit code 3 when there is a finding that is more than a note.")
    ] = False,
) -> None:
    """Check a flow: its faults, and rules that surprise.

    Every fault at once, then rules that are shadowed, forgeable or cost an answer.

    With --archive: also rules that never fire there, whose mail others take, or that contradict one another.
    """
    whole = Bundle.load(bundle) if bundle else None
    settings = desks.load(desk) if desk else whole.desk if whole else None
    categories = settings.categories if settings else None
    rules = source.load(flow, categories=categories)
    if settings:
        check_rules(rules, settings, str(flow))
    findings = examine(rules, settings.identity if settings else None, categories=categories)
    tried = _on_archive(archive, rules, whole, settings, findings) if archive else None
    findings = tried.findings if tried else findings
    for finding in findings:
        typer.echo(f"{finding.sort:>12}  {'note: ' * finding.note}{finding}")
    if tried:
        typer.echo(f"{archive}: {tried.mail}")
    count = f"{len(rules.rules)} rules, {len(findings)} finding" + ("s" if len(findings) != 1 else "")
    typer.echo(f"{flow}: {count}")
    if strict and any(not finding.note for finding in findings):
        raise typer.Exit(3)


def _on_archive(
    path: Path, rules: Flow, whole: Bundle | None, desk: Desk | None, findings: tuple[Finding, ...]
) -> Linted:
    """The findings with what the archive shows; without a bundle nobody answers for the classifier."""
    from mailml.archive import Archive
    from mailml.lab.lint_archive import with_proof
    from mailml.lab.mailbox import first_desk
    from mailml.lab.reaching import reaching
    from mailml.lab.sides import with_rules

    history = Archive.open(path)
    if whole is None:
        made = desk or first_desk(history)
        whole = Bundle("no-bundle", Path(), {}, rules, made, None, None, {})
    candidate = with_rules(replace(whole, desk=desk or whole.desk), rules)
    return with_proof(findings, reaching(history, candidate), candidate, history)
