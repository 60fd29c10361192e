from dataclasses import replace

import pytest

from slipway.errors import GateError, HostError
from slipway.gate import Gate
from slipway.redact import Redactor
from tests.unit.proof.support_images import FACTS, FakeImages, holding, subject

from .support_gate import Scene, image, web, worker

LIVE = {"web": "web-1:8000", "worker": "worker-1"}


def images(text: str = "new") -> FakeImages:
    return holding(text, facts_=replace(FACTS, digests=(image("b"),)))


def pass_gate(scene: Scene, found: FakeImages, *services: str) -> None:
    proofs = {name: replace(subject(), service=name) for name in services}
    Gate(
        replace(scene.plan, proofs=proofs),
        scene.host,
        scene.ingress,
        scene.prober,
        lambda: scene.host,
        Redactor(["'old'"]),
        lambda line: scene.journal.append(f"says: {line}"),
        scene.clock,
        scene.clock.sleep,
        images=found,
    ).run()


def test_stale_image_starts_nothing_and_leaves_what_serves() -> None:
    scene = Scene([web(), worker()], LIVE)
    with pytest.raises(GateError) as refused:
        pass_gate(scene, images("old"), "web", "worker")
    assert scene.host.running == ["shop-test-ingress", "web-1", "worker-1"]
    assert not [line for line in scene.journal if line.startswith("host: start web")]
    said = str(refused.value)
    assert said.count("was refused: service") == 2
    assert said.endswith("what served before still serves")
    assert "says: refused: web: its image is not as it must be: /srv/app/main.py" in "\n".join(
        scene.journal
    )


def test_what_a_kill_left_is_removed_before_images_are_looked_into() -> None:
    found = images()
    pass_gate(Scene([web()], {}), found, "web")
    assert found.journal == [
        "sweep",
        "facts of image-of-web-2",
        "open image-of-web-2",
        "close image-of-web-2",
    ]


def test_image_that_is_well_is_told_before_anything_starts() -> None:
    scene = Scene([web()], {})
    pass_gate(scene, images(), "web")
    told = scene.journal.index("says: the image of web is proven: 1 files are those of the source")
    assert told < scene.journal.index("host: start web-2")


def test_release_without_proofs_looks_into_no_image() -> None:
    found = images()
    pass_gate(Scene([web()], {}), found)
    assert found.journal == []


def test_container_that_is_gone_is_told() -> None:
    scene = Scene([web()], {})
    scene.host.vanish("web-2")
    with pytest.raises(GateError, match="service web: its container web-2 is gone"):
        pass_gate(scene, images(), "web")


def test_engine_that_fails_is_no_proof() -> None:
    scene, found = Scene([web()], {}), images()
    found.facts = lambda image: (_ for _ in ()).throw(HostError("Docker is away"))  # type: ignore[method-assign]
    with pytest.raises(HostError, match="Docker is away"):
        pass_gate(scene, found, "web")
    assert scene.host.running == ["shop-test-ingress"]
