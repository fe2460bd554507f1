"""``assess BUNDLE``: how many answers make how good a copy of a model."""


def test_a_bundle_is_measured_and_the_ledger_has_the_curve(changed):
    owner = changed.owner
    told = owner.ok("assess", changed.bundle)
    assert {each["answers"] for each in told["agreement"]} == {"label", "rounded", "full"}
    assert all(each["ci"][0] <= each["value"] <= each["ci"][1] for each in told["agreement"])
    # (The last: other tests may have assessed the export that this is a copy of.)
    *_, event = [e for e in owner.events() if e.action == "assess" and e.outcome == "done"]
    assert '"agreement.label":"10:' in event.body.replace(" ", "")
    assert told["model"] in event.body


def test_options_of_the_other_forms_are_refused(changed):
    done = changed.owner.run("assess", changed.bundle, "--full")
    assert (done.code, done.error["code"]) == (2, "assess_option")
