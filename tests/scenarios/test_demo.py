"""`mailml demo`, whole and once: what the README promises of `make demo`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.scenario
@pytest.mark.timeout(900)
def test_the_whole_demo(tmp_path: Path) -> None:
    """Every claim of the demo holds, and it leaves a bundle, a report and every decision behind."""
    output = tmp_path / "demo"
    command = [sys.executable, "-c", "from mailml.cli import main; main()", "demo", "--output", str(output)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=850)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    for claim in (
        "every mail has exactly one recorded outcome",
        "no automatic mail was answered",
        "every customer got one acknowledgement",
        "every decision made again is the same, byte for byte",
    ):
        assert f"yes │ {claim}" in done.stdout
    assert " NO │" not in done.stdout
    assert (output / "report.html").read_text("utf-8").lstrip().lower().startswith("<!doctype html")
    assert (output / "bundle" / "manifest.json").exists()
    lines = [json.loads(line) for line in (output / "decisions.jsonl").read_text("utf-8").splitlines()]
    assert len(lines) > 60
    assert len({line["uid"] for line in lines}) == len(lines)
    assert not [line for line in lines if line["state"] == "quarantined"]
    assert "make lab" in done.stdout
