from slipway.image_labels import image_labels
from slipway.origin import GitState

HASH = "a" * 64
COMMIT = "0123456789abcdef0123456789abcdef01234567"
TIME = "2026-01-01T00:00:00+00:00"
ADDRESS = "https://git.example.com/shop.git"


def test_image_that_is_built_outside_a_repository_names_no_commit() -> None:
    assert image_labels(HASH, None) == {"slipway.source-hash": HASH}


def test_what_git_does_not_tell_is_left_out() -> None:
    assert image_labels(HASH, GitState(COMMIT, None, dirty=False)) == {
        "slipway.source-hash": HASH,
        "org.opencontainers.image.revision": COMMIT,
    }


def test_commit_with_further_changes_is_not_taken_for_the_source() -> None:
    git = GitState(COMMIT, "main", dirty=True, remote=ADDRESS, committed=TIME)
    assert image_labels(HASH, git) == {
        "slipway.source-hash": HASH,
        "org.opencontainers.image.revision": f"{COMMIT}-dirty",
        "org.opencontainers.image.source": ADDRESS,
        "org.opencontainers.image.created": TIME,
    }
