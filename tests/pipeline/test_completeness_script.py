"""The script that measures recall and false candidates."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_it_prints_recall_losses_and_false_candidates_and_leaves_nothing_behind(tmp_path):
    command = [sys.executable, str(ROOT / "scripts/completeness"), "--fields", "1", "--size", "600", "--each", "2"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for words in ("no blocking neighbour", "losses", "false candidates", "per 4 deg²"):
        assert words in done.stdout
    # simulated candidates are in nobody's database
    assert not list(tmp_path.iterdir())
