"""What runs is what was released, or the release is not recorded."""

from dataclasses import replace
from typing import Any

import pytest

from slipway.errors import GateError
from slipway.identity import version_fault
from slipway.image_labels import SOURCE_HASH
from slipway.probes import Reply, Verdict
from slipway.reported_version import reported_version

from .support_gate import INGRESS, Scene, web

BEFORE = {"web": "web-1:8000"}
MINE, OTHERS = "a" * 64, "b" * 64


def refused(scene: Scene) -> str:
    with pytest.raises(GateError) as caught:
        scene.run()
    assert scene.host.running == [INGRESS, "web-1"], "what served before serves still"
    return str(caught.value).splitlines()[0]


def answering(public: str, candidate: str = '{"version": "2"}') -> Scene:
    """A release whose container tells one version, and the public address perhaps another."""
    scene = Scene([web()], live=BEFORE)
    scene.prober.replies["web-2"] = Reply(1.0, 200, candidate)
    scene.prober.public = Reply(1.0, 200, public)
    return scene


def labelled(source_hash: str) -> Scene:
    scene = Scene([replace(web(), source_hash=MINE)], live=BEFORE)
    scene.host.change("web-2", labels={SOURCE_HASH: source_hash})
    return scene


# --- the image -------------------------------------------------------------------------------


def test_container_of_another_source_is_refused_before_any_request() -> None:
    scene = labelled(OTHERS)
    assert f"its image was built from source {OTHERS} instead of {MINE}" in refused(scene)
    assert scene.prober.asked == []


def test_container_of_the_release_s_source_passes() -> None:
    assert "ingress: web=web-1:8000 => web=web-2:8000" in labelled(MINE).run()


def test_image_that_was_exchanged_after_the_switch_is_switched_back() -> None:
    scene = labelled(MINE)
    scene.clock.after(2.2, lambda: scene.host.change("web-2", labels={SOURCE_HASH: OTHERS}))
    assert "instead of" in refused(scene)
    assert "says: switching back to what served before" in scene.journal


# --- the version that the application tells --------------------------------------------------


def test_public_address_that_tells_another_version_than_the_candidate_is_switched_back() -> None:
    scene = answering('{"version": "1"}')
    told = refused(scene)
    assert "the public address answers as version 1, the release's own container as 2" in told
    assert "says: switching back to what served before" in scene.journal


@pytest.mark.parametrize("public", ['{"version": "2"}', "{}", "ok"])
def test_public_address_that_tells_the_same_version_or_none_passes(public: str) -> None:
    assert "ingress: web=web-1:8000 => web=web-2:8000" in answering(public).run()


@pytest.mark.parametrize(
    ("own", "fits"),
    [(["3"], True), (["2", "3"], True), (["2", "2"], False), ([None], True), ([], True)],
)
def test_version_is_compared_with_what_the_container_tells_by_then(
    own: list[str | None], fits: bool
) -> None:
    public = Verdict("GET /", True, "", "", version="3")
    assert (version_fault(public, own) is None) == fits


def test_container_behind_others_that_were_switched_tells_their_new_version() -> None:
    scene = answering('{"version": "2"}', '{"version": "1"}')
    new = Reply(1.0, 200, '{"version": "2"}')
    scene.ingress.on_switch.append(lambda: scene.prober.replies.update({"web-2": new}))
    assert "ingress: web=web-1:8000 => web=web-2:8000" in scene.run()


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ('{"version": "1.4.2", "status": "ok"}', "1.4.2"),
        ('{"version": 7}', "7"),
        ('{"version": null}', None),
        ('{"version": true}', None),
        ('{"version": {"major": 1}}', None),
        ('["version"]', None),
        ("version: 1", None),
        ("", None),
    ],
)
def test_version_is_a_text_or_a_number_at_the_top_of_an_answer(body: str, found: Any) -> None:
    assert reported_version(body) == found
