from slipway.host_names import adopted_networks, adopted_volumes, network_names, volume_names
from slipway.services import Network, Volume

VOLUMES = {
    "own": Volume(),
    "there": Volume(external=True),
    "named": Volume(external=True, name="elsewhere"),
    "same": Volume(external=True, name="shop-test-same"),
}
NETWORKS = {
    "own": Network(internal=True),
    "there": Network(external=True),
    "named": Network(external=True, name="elsewhere"),
    "same": Network(external=True, name="shop-test-same"),
}


def test_volumes_are_named_after_the_stack_unless_they_are_there_already() -> None:
    assert volume_names(VOLUMES, "shop-test") == {
        "own": "shop-test-own",
        "there": "there",
        "named": "elsewhere",
        "same": "shop-test-same",
    }
    assert adopted_volumes(VOLUMES, "shop-test") == {"there": "there", "named": "elsewhere"}


def test_networks_are_named_after_the_stack_unless_they_are_there_already() -> None:
    assert network_names(NETWORKS, "shop-test") == {
        "default": "shop-test",
        "own": "shop-test-own",
        "there": "there",
        "named": "elsewhere",
        "same": "shop-test-same",
    }
    assert adopted_networks(NETWORKS, "shop-test") == {"there": "there", "named": "elsewhere"}


def test_default_network_may_be_one_that_is_there_already() -> None:
    declared = {"default": Network(external=True, name="office")}
    assert network_names(declared, "shop-test") == {"default": "office"}
    assert adopted_networks(declared, "shop-test") == {"default": "office"}
