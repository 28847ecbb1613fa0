"""A results folder with as many crossmatches as one likes, made from those of a real run."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import numpy as np

from racs_transients import products, schema, tables


def write_results(source: Path, target: Path, n: int, *, seed: int = 1) -> Path:
    """Write a complete results folder with n rows resampled from another's, at random positions of the southern sky."""
    rng = np.random.default_rng(seed)
    rows = tables.read_csv(source / products.MASTER, schema.CROSSMATCHES)
    rows = rows.iloc[rng.integers(0, len(rows), n)].reset_index(drop=True)
    scatter = np.exp(rng.normal(0, 0.3, n))
    numbers = [c.name for c in schema.CROSSMATCHES if c.dtype == "float"]
    rows[numbers] = rows[numbers].mul(scatter, axis=0)
    rows = rows.assign(
        match_id=np.arange(1, n + 1),
        ra=rng.uniform(0, 360, n),
        dec=np.rad2deg(np.arcsin(rng.uniform(-1, 0, n))),
        name=[f"J{seed}-{i}" for i in range(n)],
    )
    manifest = json.loads((source / "run.json").read_text())
    manifest["run_id"] = str(uuid.UUID(int=int(rng.integers(2**62))))
    manifest["image"]["sha256"] = f"{seed:064d}"
    manifest["products"] = {products.MASTER: {"kind": "master", "survey": "", "match_id": None}}
    (target / "transients").mkdir(parents=True, exist_ok=True)
    tables.write_csv(rows, target / products.MASTER)
    (target / "run.json").write_text(json.dumps(manifest))
    return target
