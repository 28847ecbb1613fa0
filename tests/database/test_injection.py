"""What SQLAlchemy writes, Django reads; a run is written whole, once, or not at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from django.utils import timezone
from sqlalchemy import create_engine, text

from racs_transients import products, schema, tables
from racs_transients.database import inject_run, open_database
from racs_transients.dbconfig import sqlite_config
from racs_transients.errors import DatabaseError
from tests.benchmarks.synthetic import write_results
from web_server.candidates.models import Crossmatch, Image, Product, Run, SkyObject, SurveyRun
from web_server.notify.models import Message

MODELS = (Image, Run, SurveyRun, SkyObject, Crossmatch, Product, Message)


def counts(alias):
    return {model.__name__: model.objects.using(alias).count() for model in MODELS}


def test_django_reads_every_value_that_was_written(db, results, read):
    written = products.read_results(results)
    done = inject_run(results, db)
    assert (done.rows, done.new_objects, done.replaced) == (len(written), len(written), False)
    with read(db) as alias:
        found = pd.DataFrame(list(Crossmatch.objects.using(alias).order_by("match_id").values()))
    found = tables.conform(found[[column.name for column in schema.CROSSMATCHES]], schema.CROSSMATCHES)
    expected = written.sort_values("match_id").reset_index(drop=True)
    words = [column.name for column in schema.CROSSMATCHES if column.dtype == "str"]
    expected[words] = expected[words].fillna("")
    pd.testing.assert_frame_equal(found, expected)


def test_image_run_comparison_and_products_are_those_of_the_manifest(db, results, read):
    manifest = json.loads((results / "run.json").read_text())
    inject_run(results, db)
    with read(db) as alias:
        run = Run.objects.using(alias).select_related("image").get()
        assert run.id == uuid.UUID(manifest["run_id"])
        assert run.is_current
        assert run.image.sha256 == manifest["image"]["sha256"]
        assert (run.image.ra, run.image.width) == (manifest["image"]["ra"], manifest["image"]["width"])
        assert run.started.isoformat() == manifest["started"]
        assert run.settings == manifest["settings"]
        assert run.stages == manifest["stages"]
        comparison = SurveyRun.objects.using(alias).get()
        assert comparison.survey == "SUMSS"
        assert comparison.flux_scale == manifest["surveys"]["SUMSS"]["calibration"]["flux_scale"]
        assert comparison.counts == manifest["surveys"]["SUMSS"]["counts"]
        assert sum(sum(flags.values()) for flags in comparison.counts.values()) == comparison.n_rows
        files = {product.path: product for product in Product.objects.using(alias).select_related("run")}
        assert files.keys() == manifest["products"].keys()
        assert files[products.MASTER].file() == (results / products.MASTER).resolve()


def test_missing_and_infinite_numbers_are_null(db, results, read):
    path = results / products.MASTER
    rows = tables.read_csv(path, schema.CROSSMATCHES)
    rows.loc[0, "ratio"], rows.loc[1, "ratio"] = np.inf, np.nan
    tables.write_csv(rows, path)
    inject_run(results, db)
    with read(db) as alias:
        crossmatches = Crossmatch.objects.using(alias)
        assert crossmatches.filter(match_id__in=rows["match_id"][:2], ratio__isnull=True).count() == 2
        assert not crossmatches.filter(ratio__gt=1e300).exists()


def test_a_new_run_is_queued_for_slack_once_and_only_where_it_was_written(db, results, read, new_run):
    for _ in range(2):
        inject_run(results, db)
    first = json.loads((results / "run.json").read_text())["run_id"]
    with read(db) as alias:
        message = Message.objects.using(alias).get()
        assert (message.kind, message.key, message.payload) == ("run finished", first, {"run": first})
        assert (message.state, message.attempts, message.sent) == ("queued", 0, None)
        assert abs(message.next_attempt - timezone.now()) < timedelta(minutes=1)
        Run.objects.using(alias).all().delete()
    # a run that somebody deleted and writes again is no news
    inject_run(results, db)
    with read(db) as alias:
        assert Message.objects.using(alias).count() == 1
    new_run(results)
    inject_run(results, db)
    with read(db) as alias:
        assert Message.objects.using(alias).count() == 2


def test_the_same_run_again_replaces_its_rows(db, results, read):
    inject_run(results, db)
    with read(db) as alias:
        before, objects = counts(alias), set(SkyObject.objects.using(alias).values_list("id", "ra", "dec"))
    done = inject_run(results, db)
    assert (done.replaced, done.new_objects) == (True, 0)
    with read(db) as alias:
        assert counts(alias) == before
        assert set(SkyObject.objects.using(alias).values_list("id", "ra", "dec")) == objects


def test_a_row_of_a_replaced_run_keeps_its_address(db, results, read):
    inject_run(results, db)
    with read(db) as alias:
        before = dict(Crossmatch.objects.using(alias).values_list("sky_object_id", "id"))
    path = results / products.MASTER
    rows = tables.read_csv(path, schema.CROSSMATCHES)
    # one row is gone, one is elsewhere, and all others have other numbers in another order
    rows = rows.iloc[1:].iloc[::-1].assign(match_id=np.arange(1, len(rows)))
    rows.iloc[0, rows.columns.get_loc("dec")] += 1
    tables.write_csv(rows, path)
    inject_run(results, db)
    with read(db) as alias:
        after = dict(Crossmatch.objects.using(alias).values_list("sky_object_id", "id"))
    kept = before.keys() & after.keys()
    assert len(kept) == len(before) - 2
    assert all(before[place] == after[place] for place in kept)
    # a number that was given up is not given again
    (new,) = after.keys() - before.keys()
    assert after[new] > max(before.values())


def test_objects_that_only_replaced_rows_had_are_forgotten(db, results, read):
    inject_run(results, db)
    path = results / products.MASTER
    rows = tables.read_csv(path, schema.CROSSMATCHES)
    tables.write_csv(rows.iloc[:-1], path)
    inject_run(results, db)
    with read(db) as alias:
        assert SkyObject.objects.using(alias).count() == len(rows) - 1


def test_the_newest_run_of_an_image_and_tag_is_current_and_shares_its_objects(
    db, results, read, new_run, change_manifest
):
    inject_run(results, db)
    new_run(results)
    change_manifest(results, finished="2099-01-01T00:00:00+00:00")
    assert inject_run(results, db).new_objects == 0
    newest = json.loads((results / "run.json").read_text())["run_id"]
    new_run(results)
    change_manifest(results, finished="2001-01-01T00:00:00+00:00")
    inject_run(results, db)
    with read(db) as alias:
        assert Image.objects.using(alias).count() == 1
        assert Run.objects.using(alias).count() == 3
        assert str(Run.objects.using(alias).get(is_current=True).id) == newest


def test_a_run_that_gets_another_description_leaves_the_earlier_one_current(
    db, results, read, new_run, change_manifest
):
    inject_run(results, db)
    earlier = json.loads((results / "run.json").read_text())
    new_run(results)
    change_manifest(results, finished="2099-01-01T00:00:00+00:00")
    inject_run(results, db)
    change_manifest(results, settings=earlier["settings"] | {"database": {"db_tag": "another"}})
    inject_run(results, db)
    with read(db) as alias:
        current = dict(Run.objects.using(alias).filter(is_current=True).values_list("tag", "id"))
    later = uuid.UUID(json.loads((results / "run.json").read_text())["run_id"])
    assert current == {"RACS Analysis": uuid.UUID(earlier["run_id"]), "another": later}


def test_without_transients_an_image_has_diagnostics_and_no_crossmatches(db, results, read, change_manifest):
    manifest = json.loads((results / "run.json").read_text())
    kept = {name: entry for name, entry in manifest["products"].items() if not name.startswith("transients/")}
    change_manifest(results, products=kept)
    assert inject_run(results, db).rows == 0
    with read(db) as alias:
        found = counts(alias)
    assert (found["Image"], found["Run"], found["SurveyRun"]) == (1, 1, 1)
    assert (found["Crossmatch"], found["Product"]) == (0, len(kept))


def test_many_rows_arrive(db, many_results, read):
    written = products.read_results(many_results)
    assert inject_run(many_results, db).rows == len(written)
    with read(db) as alias:
        found = Crossmatch.objects.using(alias).order_by("match_id").values_list("ra", "dec", "flag", "is_candidate")
        expected = written.sort_values("match_id")[["ra", "dec", "flag", "is_candidate"]]
        assert list(found) == list(expected.itertuples(index=False, name=None))
        # numbers given out by hand are not given out again
        extra = SkyObject.objects.using(alias).create(ra=1, dec=1)
        assert extra.id > len(written) - 1


@pytest.mark.parametrize("table", ["candidates_crossmatch", "candidates_product"])
def test_a_failed_injection_leaves_nothing(db, results, read, tmp_path, table):
    engine = open_database(db)
    with engine.begin() as connection:
        # the last tables to be written refuse
        column = "match_id" if table.endswith("crossmatch") else "path"
        if db.engine == "sqlite":
            connection.execute(
                text(f"CREATE TRIGGER broken BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
            )
        else:
            connection.execute(text(f"ALTER TABLE {table} ADD CONSTRAINT broken CHECK ({column} IS NULL)"))
    with pytest.raises(DatabaseError, match=r"cannot be used: .*(disk is full|broken)"):
        inject_run(results, db, media_dir=tmp_path / "media")
    assert not any((tmp_path / "media").iterdir())
    with read(db) as alias:
        assert set(counts(alias).values()) == {0}


def test_products_are_copied_to_the_folder_of_the_site(db, results, read, tmp_path):
    for _ in range(2):
        inject_run(results, db, media_dir=tmp_path / "media")
    manifest = json.loads((results / "run.json").read_text())
    copy = tmp_path / "media" / manifest["run_id"]
    assert [folder.name for folder in (tmp_path / "media").iterdir()] == [copy.name]
    assert (copy / products.MASTER).read_bytes() == (results / products.MASTER).read_bytes()
    with read(db) as alias:
        for product in Product.objects.using(alias).select_related("run"):
            assert product.file() == (copy / product.path).resolve()
        (copy / products.MASTER).unlink()
        product = Product.objects.using(alias).select_related("run").get(path=products.MASTER)
        assert product.file() is None


def test_a_path_that_leaves_the_results_folder_is_no_file(tmp_path):
    (tmp_path / "secret").write_text("x")
    root = tmp_path / "results"
    root.mkdir()
    (root / "link").symlink_to(tmp_path / "secret")
    for path in ("../secret", "link", str(tmp_path / "secret")):
        assert Product(run=Run(root=str(root)), path=path).file() is None


def test_a_file_in_a_folder_that_the_site_may_not_search_is_no_file(tmp_path, monkeypatch):
    (tmp_path / "stamp.jpg").write_text("x")
    product = Product(run=Run(root=str(tmp_path)), path="stamp.jpg")
    assert product.file() == (tmp_path / "stamp.jpg").resolve()

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    # the tests may run as root, who may search everything
    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", refuse)
        assert product.file() is None


@pytest.mark.parametrize("state", ["running", "failed"])
def test_a_run_that_is_not_complete_is_refused(db, results, change_manifest, state):
    change_manifest(results, state=state)
    with pytest.raises(DatabaseError, match=f"not complete but {state}; run it again"):
        inject_run(results, db)


def test_a_folder_without_manifest_is_refused(db, tmp_path):
    with pytest.raises(DatabaseError, match=r"is no results folder: it has no run\.json"):
        inject_run(tmp_path, db)


@pytest.mark.slow
def test_a_newer_schema_is_refused_and_an_older_one_migrated(db, results, new_run):
    engine = open_database(db)
    name = "9999_from_the_future"
    row = f"INSERT INTO django_migrations (app, name, applied) VALUES ('candidates', '{name}', '2099-01-01')"
    with engine.begin() as connection:
        connection.execute(text(row))
    with pytest.raises(DatabaseError, match=f"made by a newer version of racs_transients \\(it has {name}\\); update"):
        inject_run(results, db)
    with engine.begin() as connection:
        connection.execute(text(f"DELETE FROM django_migrations WHERE name = '{name}'"))
    # as an older version left it
    command = [sys.executable, "-m", "django", "migrate", "candidates", "0003"]
    settings = {"RACS_TRANSIENTS_DATABASE_URL": db.url, "DJANGO_SETTINGS_MODULE": "web_server.default_settings"}
    subprocess.run(command, env=os.environ | settings, check=True, capture_output=True)
    assert inject_run(results, db).rows > 0
    # as one without the queue of messages left it
    subprocess.run([*command[:-2], "notify", "zero"], env=os.environ | settings, check=True, capture_output=True)
    new_run(results)
    assert inject_run(results, db).rows > 0


@pytest.mark.slow
def test_several_pipelines_may_start_with_an_empty_database_at_once(empty_db, small_results, tmp_path, read):
    folders = [write_results(small_results, tmp_path / str(seed), 200, seed=seed) for seed in range(1, 5)]
    command = [sys.executable, "-m", "racs_transients", "inject"]
    environment = os.environ | {"RACS_TRANSIENTS_DATABASE_URL": empty_db.url}
    started = [subprocess.Popen([*command, str(folder)], env=environment) for folder in folders]
    assert [process.wait(120) for process in started] == [0, 0, 0, 0]
    with read(empty_db) as alias:
        assert Crossmatch.objects.using(alias).count() == 800
        assert Run.objects.using(alias).filter(is_current=True).count() == 4


def test_an_unreachable_server_and_a_missing_folder_are_one_sentence(results, tmp_path, postgres):
    missing = postgres.database("nobody_made_this")
    with pytest.raises(DatabaseError, match=r"^The PostgreSQL database nobody_made_this .* does not exist\."):
        inject_run(results, missing)

    with pytest.raises(DatabaseError, match=r"There is no folder .*; make it first"):
        inject_run(results, sqlite_config(tmp_path / "no" / "file.sqlite3"))


@pytest.mark.slow
def test_a_role_that_may_not_make_extensions_still_gets_its_tables(postgres, results, caplog, read):
    postgres.run("DROP DATABASE IF EXISTS plain WITH (FORCE)")
    postgres.run("DROP ROLE IF EXISTS astronomer")
    postgres.run("CREATE ROLE astronomer LOGIN")
    postgres.run("CREATE DATABASE plain OWNER astronomer")
    db = postgres.database("plain", user="astronomer")
    assert inject_run(results, db).rows > 0
    said = [record.message for record in caplog.records if "Q3C" in record.message]
    if postgres.has_q3c:
        assert said == [
            "This role may not create the extension Q3C; cone searches work without it, but are slower. "
            "An administrator can run `CREATE EXTENSION q3c` in the database plain; then run `manage.py q3c`."
        ]
    else:
        assert "has no Q3C" in said[0]


def test_the_database_is_an_ordinary_one(db, results):
    inject_run(results, db)
    with create_engine(db.url).connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM candidates_crossmatch WHERE is_candidate")).scalar() > 0
