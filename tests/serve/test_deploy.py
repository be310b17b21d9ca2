"""The files of serve/deploy: hardened, unprivileged, read-only, and naming commands that exist."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
import typer

from serve.__main__ import app
from serve.notify import tell
from serve.supervisor import PARTS
from serve.vitals import Vitals
from tests.conftest import ROOT
from tests.serve.room import Room

DEPLOY = ROOT / "serve" / "deploy"
MOST_EXPOSED = 2.0  # of 10, as systemd-analyze counts


def unit() -> dict[str, list[str]]:
    """The keys of the unit's [Service] section with all their values."""
    text = (DEPLOY / "mailml.service").read_text("utf-8")
    found: dict[str, list[str]] = {}
    for line in text.partition("[Service]")[2].partition("[Install]")[0].splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def commands() -> list[str]:
    """The commands that exist."""
    return list(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def test_the_unit_is_unprivileged_and_read_only() -> None:
    """An own user, no capability, no new privilege, a system that cannot be written."""
    keys = unit()
    assert keys["User"] == ["mailml"]
    assert keys["CapabilityBoundingSet"] == keys["AmbientCapabilities"] == [""]
    assert keys["ProtectSystem"] == ["strict"]
    for name in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices", "RestrictNamespaces"):
        assert keys[name] == ["true"], name
    assert keys["UMask"] == ["0077"]


def test_the_unit_starts_what_there_is() -> None:
    """Its command exists, a configuration fault is not tried for ever, and it may finish what is begun."""
    from serve import supervisor

    keys = unit()
    assert keys["ExecStart"][0].split()[1] in commands()
    assert keys["RestartPreventExitStatus"] == ["78"]
    assert int(keys["TimeoutStopSec"][0]) > supervisor._PATIENCE_SECONDS


def test_systemd_finds_little_exposed() -> None:
    """systemd's own judgement, offline."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze")
    command = ["systemd-analyze", "security", "--offline=true", str(DEPLOY / "mailml.service")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    found = re.search(r"exposure level for mailml.service: ([\d.]+)", done.stdout)
    if found is None:
        pytest.skip(f"systemd-analyze cannot judge offline: {done.stderr[:200]}")
    assert float(found[1]) <= MOST_EXPOSED


def instructions() -> list[tuple[str, str]]:
    """The Containerfile's instructions, continued lines joined, comments left out."""
    text = re.sub(r"(?m)^#.*\n", "", (DEPLOY / "Containerfile").read_text("utf-8")).replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return [(line.split()[0], line.partition(" ")[2].strip()) for line in lines]


def test_the_image_is_unprivileged() -> None:
    """The last stage ends as a numbered user that is not root, starts our command and checks its health."""
    last = instructions()
    last = last[max(n for n, (word, _) in enumerate(last) if word == "FROM") :]
    words = dict(last)
    assert words["USER"] == "10001:10001"
    assert words["ENTRYPOINT"] == '["mailml-serve"]'
    assert '"health"' in words["HEALTHCHECK"]
    assert words["CMD"] == '["run"]'
    assert {"health", "run"} <= set(commands())
    order = [word for word, _ in last]
    assert order.index("USER") < order.index("ENTRYPOINT")
    assert not [value for word, value in last[order.index("USER") :] if word == "RUN"]


def test_the_image_is_built_of_what_is_locked() -> None:
    """Named base images, hashes of every package, nothing fetched by ADD, no secret baked in."""
    found = instructions()
    bases = [value for word, value in found if word == "FROM"]
    assert all(re.search(r":[\w.-]+", base) and ":latest" not in base for base in bases)
    assert not [value for word, value in found if word == "ADD"]
    installs = [value for word, value in found if word == "RUN" and "requirements" in value]
    assert installs
    assert all("--require-hashes" in value and "--no-deps" in value for value in installs)
    assert not re.search(r"(?i)(password|secret|token)\s*=", (DEPLOY / "Containerfile").read_text("utf-8"))
    for word, value in found:
        if word == "COPY" and not value.startswith("--from"):
            assert all((ROOT / source).exists() for source in value.split()[:-1])


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_image_can_be_built() -> None:
    """Where a builder and a registry can be reached."""
    builder = shutil.which("podman") or shutil.which("buildah") or shutil.which("docker")
    if builder is None or subprocess.run([builder, "info"], capture_output=True, timeout=60).returncode:
        pytest.skip("needs podman, buildah or docker with a daemon")
    pulled = subprocess.run(
        [builder, "pull", "docker.io/library/python:3.13-slim-trixie"], capture_output=True, timeout=300
    )
    if pulled.returncode:
        pytest.skip("the base image cannot be reached from here")
    command = [builder, "build", "-q", "-f", str(DEPLOY / "Containerfile"), "-t", "mailml-test", str(ROOT)]
    subprocess.run(command, check=True, timeout=800)
    run = [
        builder,
        "run",
        "--rm",
        "--read-only",
        "--tmpfs",
        "/tmp",
        "--cap-drop",
        "all",
        "mailml-test",
        "--help",
    ]
    assert b"Watch the mailboxes" in subprocess.run(run, capture_output=True, check=True, timeout=120).stdout


def test_systemd_is_told(tmp_path: Path) -> None:
    """The state arrives at the named socket, a file or abstract; that nobody asked is no error."""
    names = (str(tmp_path / "notify"), f"@{tmp_path}/abstract")
    for name in names:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.bind(name if name.startswith("/") else f"\0{name[1:]}")
            line.settimeout(5)
            tell("READY=1", {"NOTIFY_SOCKET": name})
            assert line.recv(100) == b"READY=1"
    tell("READY=1", {})
    tell("READY=1", {"NOTIFY_SOCKET": str(tmp_path / "gone")})


def test_the_command_for_health_checks(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    """Down while nobody serves, well when every part beats: exit codes 3 and 0."""
    from serve.instants import now_ms
    from serve.journal import incoming
    from tests.serve.room import TOML
    from tests.serve.service import call_main

    room.config.path.write_text(TOML)
    command = ["health", "--config", str(room.config.path)]
    assert call_main(command) == 3
    assert "part_idle" in capsys.readouterr().out
    Vitals(room.journal, room.config, PARTS).beat()
    with room.journal.write() as tx:
        incoming.fresh(tx, room.mailbox, now_ms())
    assert call_main(command) == 0
    assert capsys.readouterr().out.strip() == "ok"
