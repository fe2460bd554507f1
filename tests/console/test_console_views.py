"""What lies on the desk, of pictures made by hand; and a kept picture is one taken anew."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from console_samples import crowd, of, session_of, team_with
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cipherset.app.sight.gather import picture
from cipherset.app.sight.look import looked
from cipherset.app.workspace import hold
from cipherset.core.labels import Label, Level
from cipherset.evidence.views.desk.attention import Budget, Topic, Urgency, attention, figures
from cipherset.evidence.views.desk.exports import Evidence, evidence_of, exports
from cipherset.evidence.views.desk.listing import Sought, detail, level_of, listing
from cipherset.evidence.views.exposure.budgets import Use
from cipherset.evidence.views.picture import Finding, Notice, Permission, Picture, Thing
from cipherset.interfaces.console import words

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
SCOPE = "support-0011223344556677 v1"


def ago(**span: int) -> str:
    return (NOW - timedelta(**span)).isoformat(timespec="microseconds")


def empty(**parts) -> Picture:
    things = {each.id: each for each in parts.pop("things", ())}
    made = Picture(now=NOW, events=9, policy="p", alone=False, things=things, steps=())
    return replace(made, **parts)


def export(name: str, **parts) -> Thing:
    key_id, _, version = SCOPE.partition(" v")
    told = {"cipherset_id": name, "rows": 10, "key_id": key_id, "key_version": int(version)}
    return Thing(of(name), "dataset", name, ago(days=1), told, **parts)


def measured(name: str, verdict: str, *, fresh: bool = True, cap: int | None = 100) -> Finding:
    facts = {"verdict": verdict, "reid": 0.02, "n_star": 400, "pair_cap": cap}
    return Finding(1, ago(hours=1), "rita", "assess", of(name), fresh, facts)


def notice(action: str, outcome: str, **facts) -> Notice:
    return Notice(7, ago(hours=2), "sam", action, "events", outcome, facts)


def grant(state: str, until: str | None = None) -> Permission:
    asked = ("grant-0", "deploy", "sam", "sam", "routing", state, "it lacks votes")
    return Permission(*asked, {}, ago(days=1), until, accepts_risk=False, lacking={"reviewer": 1})


def says(seen: Picture) -> list[str]:
    return [matter.says for matter in attention(seen)]


def test_nothing_needs_attention_where_there_is_nothing():
    assert attention(empty()) == ()
    assert set(vars_of(figures(empty()))) == {0, 9}


def vars_of(values) -> list[int]:
    return [getattr(values, name) for name in type(values).__slots__]


def test_the_most_urgent_comes_first():
    seen = empty(
        things=[export("one"), Thing(of("raw"), "dataset", "raw", ago(days=1), is_stale=True)],
        grants=(grant("pending"), grant("live", (NOW + timedelta(days=1)).isoformat())),
        notices=(notice("audit", "refused", code="not_allowed"),),
    )
    order = list(Urgency)
    ranks = [order.index(matter.urgency) for matter in attention(seen)]
    assert ranks == sorted(ranks)
    topics = {matter.topic for matter in attention(seen)}
    assert topics == {Topic.GRANT, Topic.ASSET, Topic.STALE, Topic.EVENT, Topic.UNLABELED}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (None, Evidence.NONE),
        (measured("one", "within limit"), Evidence.WITHIN_LIMIT),
        (measured("one", "not protective"), Evidence.NOT_PROTECTIVE),
        (measured("one", "inconclusive"), Evidence.INCONCLUSIVE),
        (measured("one", "within limit", fresh=False), Evidence.STALE),
        (measured("one", "a word of another version"), Evidence.INCONCLUSIVE),
    ],
)
def test_a_finding_counts_while_it_is_fresh(found, expected):
    assert evidence_of(found) is expected
    seen = empty(things=[export("one")], findings=() if found is None else (found,))
    assert exports(seen)[0].evidence is expected
    is_well = expected is Evidence.WITHIN_LIMIT
    assert (Topic.ASSET not in {m.topic for m in attention(seen)}) is is_well


def test_the_latest_finding_counts():
    findings = (measured("one", "within limit"), measured("one", "not protective"))
    assert exports(empty(things=[export("one")], findings=findings))[0].evidence == "not protective"


def test_many_exports_of_a_kind_are_counted():
    seen = empty(things=[export(str(i)) for i in range(5)])
    assert "5 exports: each was never assessed" in says(seen)


def test_what_is_retired_or_suspended_is_let_be():
    things = [export("one", standing="retired"), export("two", standing="suspended", is_stale=True)]
    assert says(empty(things=things)) == ["2 datasets carry no label"]


def test_alerts_and_broken_glass_are_for_now():
    alert = replace(notice("alert", "done", kind="bulk", of="predict", found=9, usual=1))
    glass = notice("detokenize", "intended", break_glass="an accident")
    found = attention(empty(notices=(alert, glass)))
    assert [matter.urgency for matter in found] == [Urgency.NOW, Urgency.NOW]
    assert "an accident" in found[0].why


def test_refusals_are_counted_and_what_is_not_there_is_none():
    audit = notice("audit", "refused", code="not_allowed")
    absent = notice("view", "refused", code="asset_unknown")
    old = replace(audit, time=ago(days=20))
    assert says(empty(notices=(audit, audit, absent, old))) == ["sam was refused audit 2 times"]
    many = tuple(notice(f"act{i}", "refused", code="not_allowed") for i in range(5))
    assert says(empty(notices=many))[-1] == "2 more acts were refused in the last week"


@pytest.mark.parametrize(
    ("used", "cap", "expected"),
    [
        (74, 100, []),
        (75, 100, ["pairs under k v1 are nearly spent"]),
        (100, 100, ["pairs under k v1 are spent"]),
        (0, 0, []),
        (99, None, []),
    ],
)
def test_a_budget_is_told_of_before_it_is_spent(used, cap, expected):
    found = attention(empty(), [Budget("pairs under k v1", Use(used, cap))])
    assert [matter.says for matter in found] == expected


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.sampled_from(["dataset", "model"]), st.booleans()), max_size=60),
    st.integers(1, 9),
)
def test_pages_hold_each_asset_once(kinds, most):
    label = Label(level=Level.INTERNAL)
    things = [
        Thing(of(str(i)), kind, f"name {i}", ago(days=1), label=label if known else None)
        for i, (kind, known) in enumerate(kinds)
    ]
    seen, sought = empty(things=things), Sought(kind="dataset")
    first = listing(seen, sought, 1, most)
    every = [t.id for n in range(first.pages) for t in listing(seen, sought, n + 1, most).things]
    expected = [each.id for each in reversed(things) if each.kind == "dataset"]
    assert every == expected
    assert first.found == len(expected)
    assert sum(first.kinds.values()) == sum(first.levels.values()) == len(things)


def test_words_are_looked_for_in_everything():
    one = Thing(of("1"), "dataset", "Tickets.csv", ago(days=1), owner="dora", purpose="Routing")
    seen = empty(things=[one, export("other")])
    for sought in ("tickets", "DORA", "routing", of("1")[7:20], "dora tickets"):
        assert listing(seen, Sought(sought), 1, 9).things == (one,)
    assert listing(seen, Sought("dora nobody"), 1, 9).found == 0
    assert level_of(one) == "unknown"
    assert detail(seen, "sha256:00") is None


def test_words_read_well():
    assert words.when("2026-11-26T09:30:15+01:00") == "2026-11-26 08:30"
    assert words.moment(NOW) == "2026-11-26 12:00:00"
    assert words.when("no time") == words.moment("no time") == "no time"
    assert words.short(of("1")) == f"{of('1')[7:19]}…"
    assert words.short("key:support") == "key:support"
    assert words.brief(f"cipherset {'0a' * 16} left") == "cipherset 0a0a0a0a0a0a… left"
    assert words.count(None) == words.percent(None) == "–"
    assert words.plural(1, "row") == "1 row"
    assert words.plural(1200, "row") == "1\u202f200 rows"
    assert words.slug("within limit") == "within-limit"


def test_a_picture_that_is_kept_is_one_taken_anew(tmp_path):
    home = tmp_path / "workspace"
    team_with(home)
    with hold(session_of(home)) as held:
        for n in (0, 2, 3):
            crowd(home, n)
            with looked(held, "first") as (workspace, _):
                first = picture(workspace)
            with looked(held, "kept") as (workspace, _):
                kept = picture(workspace)
            with looked(session_of(home), "anew") as (workspace, _):
                anew = picture(workspace)
            assert kept.steps is first.steps  # or it would not be kept at all
            assert (kept.steps, kept.things) == (anew.steps, anew.things)
