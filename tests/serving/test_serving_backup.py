"""A gateway under load is backed up; the copy answers elsewhere, and no event was lost."""

import pytest
import serving_thread
from serving_process import Load, events, outcomes, serving, until

from cipherset.app.backup.run import back_up

pytestmark = pytest.mark.soak
DONE = [("intended", None), ("done", None)]


def test_the_copy_of_a_gateway_under_load_answers_and_has_every_event(tmp_path):
    owner = serving_thread.vector_owner(tmp_path / "owner")
    copy = tmp_path / "copy"
    with serving(owner.session.home) as process:
        said = process.predict().json()["predictions"]
        with Load(process.url, clients=8) as load:
            until(lambda: len(load.with_status(200)) > 20)
            answered = load.with_status(200)
            back_up(owner.session, copy)
            until(lambda: len(load.with_status(200)) > len(answered) + 20)
        assert process.end() == 0
    assert set(load.answers.values()) == {(200, "")}
    found = outcomes(events(copy))
    assert {name: found[name] for name in answered} == dict.fromkeys(answered, DONE)
    whole = outcomes(events(owner.session.home))
    assert whole == {"ada": DONE} | dict.fromkeys(load.answers, DONE)
    owner.session.home.rename(tmp_path / "lost")
    with serving(copy) as again:
        assert again.predict().json()["predictions"] == said
        assert again.end() == 0
