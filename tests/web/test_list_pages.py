"""Progress, claims, searches, galleries, the dashboard, conflicts and the administration of the review."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from tests.web.conftest import make_row
from web_server.candidates.models import Crossmatch, Product
from web_server.review import claims, services
from web_server.review.models import Claim, Decision, Event, Label, SavedSearch, Subject, Vote
from web_server.review.stars import star

pytestmark = pytest.mark.django_db


@pytest.fixture
def label():
    return {label.key: label for label in Label.objects.all()}


@pytest.fixture
def enter(person):
    """A client of somebody with a role."""

    def make(name, role="reviewer"):
        client = Client()
        client.user = person(name, role)
        client.force_login(client.user)
        return client

    return make


def text_of(client, address, **query):
    response = client.get(address, query)
    assert response.status_code == 200
    return response.content.decode()


def said(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def image_address(site):
    return f"/images/{site['run'].image_id}/"


def cells(text, name):
    """Return the texts of a column of the list, by row."""
    return [re.sub("<[^>]+>", "", cell) for cell in re.findall(rf'<td class="{name}">(.*?)</td>', text, re.DOTALL)]


def test_a_limit_bears_its_sign_wherever_its_value_stands(site, enter):
    lea, row = enter("lea", "lead"), site["rows"][0]
    row.ratio_is_limit, row.ref_flux, row.ref_scaled_flux, row.ref_origin = True, 18.0, 18.0, "limit"
    row.askap_flux, row.askap_origin = 162.0, "detected"
    row.save()
    star(lea.user, row.sky_object)
    of_image = f"{image_address(site)}crossmatches/"
    listed = text_of(lea, of_image, is_candidate="true")
    # the detection has no sign
    assert {"≥ 9.000", "162.0", "&lt; 18.00"} <= set(cells(listed, "number"))
    assert "ratio ≥ 9.00" in text_of(lea, f"{of_image}quickview/", is_candidate="true")
    Crossmatch.objects.filter(pk=site["elsewhere"].pk).update(ratio_is_limit=True)
    assert "≥ 2.50" in text_of(lea, "/starred/")  # the newest image's
    source = text_of(lea, f"{of_image}{row.pk}/")
    assert ">≥ 9.000<" in source
    assert source.count(">&lt; 18.00<") == 3  # as the survey has it and scaled, and in the plot's table
    reviewed = text_of(lea, f"/review/{row.pk}/", image=row.run.image_id)
    assert "≥ 9.000" in reviewed
    assert "&lt; 18.00" in reviewed


def test_home_and_image_count_what_is_reviewed_by_anybody_and_by_me(site, enter, label):
    ann, bob = enter("ann"), enter("bob")
    site["run"].survey_runs.update(n_rows=5, candidates=1)
    services.cast_vote(bob.user, site["rows"][0], label["i"])
    # not a candidate
    services.cast_vote(ann.user, site["rows"][3], label["i"])
    for client, own in ((ann, 0), (bob, 1)):
        home = text_of(client, "/").replace("\n", "")
        row = next(part for part in home.split("<tr") if "image1.fits" in part)
        numbers = [re.sub("<[^>]+>", "", n) for n in re.findall(r'<td class="number">(.*?)</td>', row)]
        assert numbers[-2:] == ["1", str(own)]
        assert ">2026-01-01 00:00<" in row
        assert f"reviewed 1 of 1 candidates, {own} by you" in text_of(client, image_address(site))


def test_the_image_page_has_the_ready_lists_with_their_counts(reader, site):
    site["run"].survey_runs.update(n_rows=5, candidates=1)
    text = text_of(reader, image_address(site))
    for words in ("Candidates (1)", "Flagged, ratio ≥ 2 (1)", "All crossmatches (5)"):
        assert words in text


def test_an_image_is_claimed_released_and_assigned(site, enter):
    ann, bob, lead = enter("ann"), enter("bob"), enter("lead", "lead")
    address = image_address(site)
    assert "Claim this image" in text_of(ann, address)
    assert ann.post(f"{address}claim/")["Location"] == address
    assert Claim.objects.get().owner == ann.user
    text = text_of(bob, address)
    assert "claimed by <strong>ann</strong>" in text
    assert "Claim this image" not in text
    assert "Release this image" not in text
    assert "claimed by ann; ask them" in said(bob.post(f"{address}claim/"))[0]
    assert "only they or a lead" in said(bob.post(f"{address}release/"))[-1]
    assert bob.post(f"{address}assign/", {"owner": bob.user.pk}).status_code == 403
    assert "ann" in text_of(bob, "/")
    lead.post(f"{address}assign/", {"owner": bob.user.pk})
    assert Claim.objects.get().owner == bob.user
    for nobody in ("", "x", "99999", "9" * 30):
        assert "Choose a reviewer" in said(lead.post(f"{address}assign/", {"owner": nobody}))[-1]
    assert "Release this image" in text_of(bob, address)
    bob.post(f"{address}release/")
    assert not Claim.objects.exists()
    assert set(Event.objects.values_list("what", flat=True)) == {"claim", "assign", "release"}


def test_a_viewer_cannot_be_assigned_or_claim(site, enter):
    viewer, lead = enter("viewer", "viewer"), enter("lead", "lead")
    address = image_address(site)
    assert viewer.post(f"{address}claim/").status_code == 403
    assert "Claim this image" not in text_of(viewer, address)
    assert "Choose a reviewer" in said(lead.post(f"{address}assign/", {"owner": viewer.user.pk}))[0]


POSTS = ["images/1/claim", "images/1/release", "images/1/assign", "search", "searches/save", "searches/1/delete"]


@pytest.mark.parametrize("address", [*POSTS, "conflicts/1/decide"])
def test_changes_are_posts_with_a_token(site, enter, address):
    lead = enter("lead", "lead")
    assert lead.get(f"/{address}/").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(lead.user)
    assert strict.post(f"/{address}/").status_code == 403
    assert Client().post(f"/{address}/").status_code in (302, 403)


def test_a_list_shows_my_vote_and_what_i_may_see_in_words(site, enter, label):
    ann, bob = enter("ann"), enter("bob")
    for row in site["rows"][:2]:
        services.cast_vote(bob.user, row, label["m"])
    services.cast_vote(ann.user, site["rows"][0], label["i"])
    address = f"{image_address(site)}crossmatches/"
    text = text_of(ann, address, sort="name")
    assert re.findall(r"✓ [^<]+", text) == ["✓ investigate (investigate)"]
    assert text.count("conflict</span>") == 1
    assert "bob: ignore (is match)" in text
    assert text.count("unreviewed") >= 4
    # Bob's vote on the second row is not Ann's to know
    assert text.count("bob:") == 1
    assert text_of(bob, address, sort="name").count("bob:") == 2
    # the image is named where there are several
    assert "image2.fits" in text_of(ann, "/query/")


def test_more_votes_need_no_more_queries(site, enter, label, django_assert_max_num_queries):
    ann, bob = enter("ann"), enter("bob")
    rows = [make_row(site["run"].survey_runs.get(), n, is_candidate=True) for n in range(10, 40)]
    for row in rows:
        services.cast_vote(ann.user, row, label["i"])
        services.cast_vote(bob.user, row, label["m"])
    for n in range(20):
        SavedSearch.objects.create(owner=bob.user, name=str(n), shared=True, image=site["run"].image)
    lead = enter("lead", "lead")
    lists = f"{image_address(site)}crossmatches/"
    for client in (ann, lead):
        for address in ("/", image_address(site), lists, "/query/", f"{lists}quickview/", "/searches/"):
            with django_assert_max_num_queries(12):
                text_of(client, address)
    for address in ("/dashboard/", "/conflicts/"):
        with django_assert_max_num_queries(12):
            text_of(lead, address)


def test_the_gallery_shows_the_small_stamps_of_the_list_when_they_come_into_view(reader, site):
    rows = [make_row(site["run"].survey_runs.get(), n, ratio=5.0) for n in range(10, 80)]
    for row in rows[:-1]:
        Product.objects.create(run=site["run"], kind="stamp_web", path=f"web/{row.pk}.jpg", crossmatch=row)
    address = f"{image_address(site)}crossmatches/quickview/"
    text = text_of(reader, address, ratio_min=5, ratio_max=5, sort="name")
    assert re.findall(r'alt="Small postage stamp of J\d+-(\d+)"', text) == [f"{n:03d}" for n in range(10, 70)]
    assert text.count('loading="lazy"') == 60
    assert text.count("ratio_min=5&amp;ratio_max=5&amp;sort=name") >= 60
    text = text_of(reader, address, ratio_min=5, ratio_max=5, sort="name", page=2)
    assert "70 rows, page 2 of 2" in text
    assert text.count('loading="lazy"') == 9
    assert "no small stamp" in text
    # the large one is not sent in its place
    assert f"/products/{Product.objects.get(kind='stamp').pk}/" not in text_of(reader, "/query/quickview/")
    assert reader.get("/query/quickview/?ratio_min=x")["Location"] == "/query/?ratio_min=x"


def test_a_search_is_remembered_by_a_post_and_looking_is_not(site, enter):
    ann, bob = enter("ann"), enter("bob")
    fields = {"ratio_min": "2", "ratio_max": "", "type": ["match", "noaskapmatch"], "page": "3", "name": "J"}
    answer = ann.post("/search/", fields)
    assert answer["Location"] == "/query/?" + urlencode(
        {"ratio_min": "2", "type": ["match", "noaskapmatch"], "name": "J"}, doseq=True
    )
    text_of(ann, "/query/?ratio_min=7")
    kept = SavedSearch.objects.get()
    assert (kept.owner, kept.name, kept.image) == (ann.user, "", None)
    assert "/search/last/" in text_of(ann, "/query/")
    assert ann.get("/search/last/")["Location"] == answer["Location"]
    assert bob.get("/search/last/")["Location"] == "/query/"
    image = site["run"].image_id
    answer = ann.post("/search/", {"image_id": image, "run": site["run"].pk, "flag": "Failed"})
    assert answer["Location"] == f"/images/{image}/crossmatches/?run={site['run'].pk}&flag=Failed"
    assert ann.get(answer["Location"]).status_code == 200
    assert SavedSearch.objects.get().query == "flag=Failed"


def test_a_form_as_the_page_makes_it_gives_its_list(site, enter):
    """Every field of the form, posted with its name, comes back as the list that the address asks for."""
    ann = enter("ann")
    text = text_of(ann, "/query/")
    form = text.partition('action="/search/"')[2].partition("</form>")[0]
    names = set(re.findall(r'name="([a-z_0-9]+)"', form)) - {"csrfmiddlewaretoken"}
    assert {"ratio_min", "ra_max", "position", "frame", "tag", "state", "mine", "no_flag", "image"} <= names
    answer = ann.post("/search/", dict.fromkeys(names - {"frame", "radius_unit"}, "") | {"ratio_min": "2.4"})
    assert answer["Location"] == "/query/?ratio_min=2.4"
    assert len(re.findall('<td class="name">', text_of(ann, answer["Location"]))) == 3


def test_searches_are_kept_by_name_private_or_shared(site, enter):
    ann, bob = enter("ann"), enter("bob")
    image = site["run"].image_id
    ann.post("/searches/save/", {"search_name": "mine", "search_query": "ratio_min=2&page=4&sort=name"})
    ann.post(
        "/searches/save/",
        {"search_name": "ours", "search_query": "flag=Good", "search_shared": "on", "image_id": image},
    )
    text = text_of(bob, "/searches/")
    assert ">mine<" not in text
    assert f'href="/images/{image}/crossmatches/?flag=Good">ours</a>' in text
    assert ">shared<" in text
    assert "Forget" not in text
    assert 'href="/query/?ratio_min=2&amp;sort=name">mine</a>' in text_of(ann, "/searches/")
    # the same name again replaces it
    ann.post("/searches/save/", {"search_name": "mine", "search_query": "ratio_min=3"})
    assert SavedSearch.objects.get(name="mine").query == "ratio_min=3"
    ours = SavedSearch.objects.get(name="ours")
    assert bob.post(f"/searches/{ours.pk}/delete/").status_code == 404
    assert ann.post(f"/searches/{ours.pk}/delete/")["Location"] == "/searches/"
    assert [search.name for search in SavedSearch.objects.all()] == ["mine"]


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "\x00"])
def test_a_search_needs_a_name_that_fits(site, enter, name):
    ann = enter("ann")
    answer = ann.post("/searches/save/", {"search_name": name, "search_query": "ratio_min=2"})
    assert answer["Location"] == "/query/?ratio_min=2"
    assert "name" in said(answer)[0]
    assert not SavedSearch.objects.exists()


@pytest.mark.parametrize(
    "fields", [{"name": "x" * 9000}, {"name": "\x00"}, {"run": "//evil.example"}, {"image_id": "x"}]
)
def test_a_search_with_nonsense_leads_to_a_list_of_this_site(site, enter, fields):
    answer = enter("ann").post("/search/", fields)
    assert answer.status_code == 302
    assert re.match("/query/", answer["Location"])


@pytest.fixture
def conflict(site, enter, label):
    ann, bob = enter("ann"), enter("bob")
    services.cast_vote(ann.user, site["rows"][0], label["i"], note="rises")
    services.cast_vote(bob.user, site["rows"][0], label["m"])
    services.cast_vote(bob.user, site["rows"][1], label["m"])
    return Subject.objects.get(state="conflict")


def test_leads_see_the_votes_in_conflict_side_by_side_and_decide(site, enter, conflict, label):
    lead = enter("lead", "lead")
    text = text_of(lead, "/conflicts/")
    assert "1 candidate on which" in text
    for words in ("ann</th><td>investigate</td>", "bob</th><td>ignore</td><td>is match</td>", "rises"):
        assert words in text
    assert f'/crossmatches/{site["rows"][0].pk}/"' in text
    answer = lead.post(f"/conflicts/{conflict.pk}/decide/", {"label": label["t"].pk, "note": "seen twice"})
    assert answer["Location"] == "/conflicts/"
    decision = Decision.objects.get()
    assert (decision.lead, decision.label, decision.note) == (lead.user, label["t"], "seen twice")
    assert Vote.objects.filter(active=True).count() == 3
    assert "No conflict is open" in text_of(lead, "/conflicts/")


@pytest.mark.parametrize("given", ["", "x", "0", "9" * 30])
def test_a_decision_needs_a_label(enter, conflict, given):
    lead = enter("lead", "lead")
    assert "Choose what you decide" in said(lead.post(f"/conflicts/{conflict.pk}/decide/", {"label": given}))[0]
    assert lead.post("/conflicts/99999/decide/", {"label": given}).status_code == 404
    assert not Decision.objects.exists()


@pytest.mark.parametrize("role", ["viewer", "reviewer"])
def test_conflicts_and_dashboard_are_for_leads(enter, conflict, label, role):
    client = enter("somebody", role)
    for address in ("/conflicts/", "/dashboard/"):
        assert client.get(address).status_code == 403
        assert address not in text_of(client, "/")
    assert client.post(f"/conflicts/{conflict.pk}/decide/", {"label": label["i"].pk}).status_code == 403
    assert not Decision.objects.exists()


def test_a_conflict_that_no_current_run_shows_is_said(site, enter, conflict, label):
    site["run"].is_current = False
    site["run"].save()
    lead = enter("lead", "lead")
    assert text_of(lead, "/conflicts/")
    assert "No current run" in said(lead.post(f"/conflicts/{conflict.pk}/decide/", {"label": label["i"].pk}))[0]


def test_the_dashboard_counts_images_reviewers_and_days(site, enter, conflict, label):
    lead = enter("lead", "lead")
    site["run"].survey_runs.update(n_rows=5, candidates=1)
    services.decide(lead.user, site["rows"][1], label["i"])
    text = text_of(lead, "/dashboard/")
    numbers = r'<td class="number text-end">(\d+)</td>'
    image = re.search(r"image1\.fits</a></th>(.*?)</tr>", text, re.DOTALL)[1]
    # candidates, reviewed; partial, agreed, conflict, decided
    assert re.findall(numbers, image) == ["1", "1", "0", "0", "1", "1"]
    rows = {
        name: re.findall(numbers, row) for name, row in re.findall(r'<tr><th scope="row">(\w+)</th>(.*?)</tr>', text)
    }
    # all votes are of today
    assert rows["bob"][-1] == "2"
    assert rows["ann"][-1] == "1"
    reviewers = text.partition("Reviewers</h2>")[2].partition("Votes per day")[0]
    counts = {name: re.findall(numbers, row) for name, row in re.findall(r'row">(\w+)</th>(.*?)</tr>', reviewers)}
    # votes, settled, of these the same tag, in conflict
    assert counts == {"bob": ["2", "1", "0", "1"], "ann": ["1", "0", "0", "1"]}


def test_a_decision_that_no_vote_can_equal_is_no_disagreement(site, enter, conflict, label):
    lead = enter("lead", "lead")
    services.decide(lead.user, site["rows"][0], label["t"])
    found = {one["name"]: one for one in lead.get("/dashboard/").context["reviewers"]}
    assert (found["ann"]["settled"], found["ann"]["agreeing"]) == (0, 0)
    services.decide(lead.user, site["rows"][0], label["i"])
    found = {one["name"]: one for one in lead.get("/dashboard/").context["reviewers"]}
    assert (found["ann"]["settled"], found["ann"]["agreeing"]) == (1, 1)
    assert (found["bob"]["settled"], found["bob"]["agreeing"]) == (1, 0)


def test_the_administration_edits_labels_and_only_shows_what_was_said(site, client, django_user_model, conflict, label):
    client.force_login(django_user_model.objects.create_superuser("admin", password="x"))
    for model in ("subject", "vote", "decision", "claim", "comment", "star", "savedsearch", "event"):
        assert client.get(f"/admin/review/{model}/").status_code == 200
        assert client.get(f"/admin/review/{model}/add/").status_code == 403
    vote = Vote.objects.first()
    assert client.get(f"/admin/review/vote/{vote.pk}/change/").status_code == 200
    assert client.post(f"/admin/review/vote/{vote.pk}/change/", {"note": "x"}).status_code == 403
    assert client.post(f"/admin/review/vote/{vote.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.post(f"/admin/review/label/{label['i'].pk}/delete/", {"post": "yes"}).status_code == 403

    def edit(name, **changes):
        fields = ("group", "words", "key", "tag", "reason", "position")
        values = {field: getattr(label[name], field) for field in fields} | {"active": "on"} | changes
        client.post(f"/admin/review/label/{label[name].pk}/change/", values)
        return Label.objects.get(pk=label[name].pk)

    assert edit("o", words="Noise", tag="noisy").tag == "noisy"
    # the letter of another label
    assert edit("o", key="m").key == "o"
    # a label that somebody gave keeps its tag
    assert (edit("i", words="Look again", tag="other").tag, edit("i", words="Look again").words) == (
        "investigate",
        "Look again",
    )


def test_claims_by_services_are_shown(site, enter):
    ann = enter("ann")
    claims.claim(ann.user, site["run"].image)
    assert "claimed by <strong>ann</strong>" in text_of(ann, image_address(site))
