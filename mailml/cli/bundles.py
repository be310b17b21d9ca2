"""`mailml bundle …`: look at a bundle, verify it, compare two, sign one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from mailml.bundle import Bundle, fingerprint, is_signed, make_keys
from mailml.bundle import sign as sign_bundle
from mailml.bundle.differences import differences
from mailml.cli.bundle_facts import facts

app = typer.Typer(
    help="Look at bundles, verify, compare and sign them.", no_args_is_help=True, rich_markup_mode=None
)
BundlePath = Annotated[Path, typer.Argument(help="The bundle's folder.")]


@app.command()
def show(
    bundle: BundlePath, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False
) -> None:
    """Say what a bundle holds and how good it is.

    Its id, when, by whom and from what it was made, rules, classifier and figures.
    """
    loaded = Bundle.load(bundle)
    if as_json:
        told = {"id": loaded.id, "signed": is_signed(bundle), "manifest": dict(loaded.manifest)}
        typer.echo(json.dumps({**told, "card": dict(loaded.card)}))
        return
    typer.echo(f"bundle {loaded.id}  ({bundle})")
    for name, value in facts(loaded, bundle):
        typer.echo(f"{name:>16}  {value}")


@app.command()
def verify(
    bundle: BundlePath,
    key: Annotated[
        Path | None, typer.Option("--key", help="A public key (PEM): also ask for its signature.")
    ] = None,
) -> None:
    """Check every hash, size, shape and golden text.

    A fault ends in one clear sentence and exit code 1.
    """
    loaded = Bundle.load(bundle, public_key=key)
    typer.echo(f"bundle {loaded.id} is whole: hashes, sizes, shapes and golden texts agree")
    if key is not None:
        typer.echo(f"signed by key {fingerprint(key)}")
    elif is_signed(bundle):
        typer.echo("it is signed; by whom, --key KEY tells")


@app.command()
def sign(
    bundle: BundlePath,
    key: Annotated[Path, typer.Option("--key", help="The private key (PEM, Ed25519).")],
) -> None:
    """Sign a bundle that is whole.

    Whoever has the public key can prove that nobody changed it.
    """
    loaded = Bundle.load(bundle)  # nobody vouches for a damaged one
    sign_bundle(bundle, key)
    typer.echo(f"bundle {loaded.id} is signed: {bundle / 'manifest.sig'}")


@app.command()
def keygen(
    private: Annotated[Path, typer.Argument(help="Where the private key goes; keep it secret.")],
    public: Annotated[
        Path | None, typer.Argument(help="Where the public key goes; beside it, as .pub, unless given.")
    ] = None,
) -> None:
    """Make a pair of Ed25519 keys to sign bundles with.

    Nothing that is there is replaced.
    """
    shown = public or private.with_name(f"{private.name}.pub")
    make_keys(private, shown)
    typer.echo(f"private key: {private} (readable by you alone)\npublic key:  {shown}")
    typer.echo(f"fingerprint {fingerprint(shown)}")


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(help="The bundle in use.")],
    new: Annotated[Path, typer.Argument(help="The bundle that would replace it.")],
) -> None:
    """Say what changed from one bundle to another.

    In sentences: rules, desk, model, figures.
    """
    before, after = Bundle.load(old), Bundle.load(new)
    for line in differences(before, after) or (f"no difference: both are {before.id}",):
        typer.echo(line)
