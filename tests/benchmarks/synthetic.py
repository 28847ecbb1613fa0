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
    rows = products.read_results(source)
    rows = rows.iloc[rng.integers(0, len(rows), n)].reset_index(drop=True)
    scatter = np.exp(rng.normal(0, 0.3, n))
    numbers = [c.name for c in schema.CROSSMATCHES if c.dtype == "float"]
    rows[numbers] = rows[numbers].mul(scatter, axis=0)
    rows = rows.assign(
        match_id=np.arange(1, n + 1),
        ra=rng.uniform(0, 360, n),
        dec=np.rad2deg(np.arcsin(rng.uniform(-1, 0, n))),
        name=[f"J{seed}-{i}" for i in range(n)],
        # a demonstration's field is full of them; on a real tile one row in twenty is a candidate
        is_candidate=rows["is_candidate"] & (rng.random(n) < 0.2),
    )
    manifest = json.loads((source / "run.json").read_text())
    manifest["run_id"] = str(uuid.UUID(int=int(rng.integers(2**62))))
    manifest["image"]["sha256"] = f"{seed:064d}"
    manifest["products"] = {products.MASTER: {"kind": "master", "survey": "", "match_id": None}}
    (target / "transients").mkdir(parents=True, exist_ok=True)
    tables.write_csv(rows, target / products.MASTER)
    (target / "run.json").write_text(json.dumps(manifest))
    return target


def write_votes(subjects: int, people: int = 20, *, seed: int = 1) -> None:
    """Let reviewers have judged the rows of largest ratio: up to three votes each, a tenth of them decided."""
    from django.contrib.auth.models import User

    from web_server.accounts.roles import set_role
    from web_server.candidates.models import Crossmatch
    from web_server.review.models import Decision, Label, Star, Subject, Vote

    rng = np.random.default_rng(seed)
    reviewers = User.objects.bulk_create(User(username=f"reviewer-{number}") for number in range(people))
    for one in reviewers:
        set_role(one, "reviewer")
    labels, verdicts = ([*Label.objects.filter(lead_only=only)] for only in (False, True))
    rows = Crossmatch.objects.filter(ratio__isnull=False).select_related("run").order_by("-ratio", "pk")[:subjects]
    keys = {(row.sky_object_id, row.run.image_id, row.survey) for row in rows}
    made = Subject.objects.bulk_create(Subject(sky_object_id=a, image_id=b, survey=c) for a, b, c in sorted(keys))
    votes, decisions = [], []
    for subject in made:
        chosen = rng.choice(people, rng.integers(1, 4), replace=False)
        # most agree
        said = [labels[int(rng.integers(3) ** 2 % len(labels))] for _ in chosen]
        votes += [
            Vote(subject=subject, reviewer=reviewers[n], label=label) for n, label in zip(chosen, said, strict=True)
        ]
        subject.n_votes, tags = len(said), {label.tag for label in said}
        subject.tag = said[0].tag if len(tags) == 1 else ""
        subject.state = "conflict" if len(tags) > 1 else "agreed" if len(said) > 1 else "partial"
        if rng.random() < 0.1:
            decisions.append(Decision(subject=subject, lead=reviewers[0], label=verdicts[0]))
            subject.state, subject.tag = "decided", verdicts[0].tag
    Subject.objects.bulk_update(made, ["n_votes", "tag", "state"], batch_size=500)
    Vote.objects.bulk_create(votes, batch_size=5000)
    Decision.objects.bulk_create(decisions, batch_size=5000)
    Star.objects.bulk_create(Star(sky_object_id=one.sky_object_id, user=reviewers[1]) for one in made[:200])
