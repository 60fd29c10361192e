import os
from pathlib import Path

import pytest

from slipway.build_context import Entry
from slipway.explain.inventory import Inventory, choose_folded, take
from slipway.services import Build
from slipway.source_hash import Source, read_source

from ..support import BASE, DIGEST, KEY, OTHER_DIGEST, write_files

DOCKERFILE = f"FROM {BASE}\nCOPY . /app\n"


def inventory(folder: Path, key: str = KEY, **build: object) -> Inventory:
    if not (folder / "Dockerfile").exists():
        write_files(folder, {"Dockerfile": DOCKERFILE})
    made = Build.model_validate({"context": str(folder), **build})
    return take(read_source(made, "linux/amd64"), made.dockerfile, key)


def of_files(*paths: str) -> list[Entry]:
    folders = {"/".join(p.split("/")[:n]) for p in paths for n in range(1, p.count("/") + 1)}
    entries = [Entry(path, "100644", None, "0" * 64) for path in paths]
    return sorted([*entries, *(Entry(folder, "40755") for folder in folders)])


def differing(before: Inventory, after: Inventory) -> set[str]:
    return {path for path, _ in before.files.items() ^ after.files.items()}


def test_content_cannot_be_tried_out_without_the_key(tmp_path: Path) -> None:
    write_files(tmp_path, {".env": "PIN=1234\n"})
    one, other = inventory(tmp_path), inventory(tmp_path, key="another key")
    assert one.files.keys() == other.files.keys()
    assert not set(one.files.values()) & set(other.files.values())
    assert one.recipe["dockerfile"] != other.recipe["dockerfile"]


def test_argument_that_looks_secret_is_hidden(tmp_path: Path) -> None:
    args = {"API_TOKEN": "swordfish", "URL": "https://me:swordfish@pypi", "VERSION": "1"}
    found = inventory(tmp_path, args={**args, "LATER": None}).recipe
    assert "swordfish" not in str(found)
    assert (found["args.VERSION"], found["args.LATER"]) == ("1", "(no value)")


def test_build_secrets_are_told_by_their_ids(tmp_path: Path) -> None:
    found = inventory(tmp_path, secrets=[{"source": "b"}, {"source": "x", "target": "a"}]).recipe
    assert found["secrets"] == "a, b"
    assert "secrets" not in inventory(tmp_path).recipe


def test_hidden_argument_that_changes_differs(tmp_path: Path) -> None:
    one, other = (inventory(tmp_path, args={"TOKEN": value}) for value in ("one", "other"))
    assert one.recipe["args.TOKEN"] != other.recipe["args.TOKEN"]


def test_changed_content_mode_and_link_differ_and_nothing_else(tmp_path: Path) -> None:
    write_files(tmp_path, {"same": "", "text": "1", "run": "", "app/main.py": ""})
    os.symlink("same", tmp_path / "link")
    before = inventory(tmp_path)
    (tmp_path / "text").write_text("2")
    (tmp_path / "run").chmod(0o755)
    (tmp_path / "link").unlink()
    os.symlink("text", tmp_path / "link")
    assert differing(before, inventory(tmp_path)) == {"text", "run", "link"}


def test_base_image_is_named_without_its_digest_so_that_a_moved_one_is_one_line(
    tmp_path: Path,
) -> None:
    before = inventory(tmp_path)
    (tmp_path / "Dockerfile").write_text(DOCKERFILE.replace(DIGEST, OTHER_DIGEST))
    after = inventory(tmp_path)
    name = "from docker.io/library/python:3.11"
    assert (before.recipe[name], after.recipe[name]) == (DIGEST, OTHER_DIGEST)
    assert before.recipe.keys() == after.recipe.keys()


def test_files_of_an_additional_context_are_listed_below_its_name(tmp_path: Path) -> None:
    write_files(tmp_path, {"app/Dockerfile": DOCKERFILE, "assets/logo.png": ""})
    contexts = {"assets": str(tmp_path / "assets"), "tool": f"docker-image://{BASE}"}
    found = inventory(tmp_path / "app", additional_contexts=contexts)
    assert found.files.keys() == {"Dockerfile", "assets:/logo.png"}
    assert found.recipe["additional_contexts.tool"] == f"docker-image://{BASE}"
    assert found.recipe["additional_contexts.assets"] == "a folder"


def test_up_to_three_hundred_entries_are_listed_each() -> None:
    assert choose_folded(of_files(*(f"{n}.py" for n in range(300)))) == frozenset()


def test_large_folders_are_listed_as_one_before_small_ones() -> None:
    images = [f"static/img/{n}.png" for n in range(400)]
    entries = of_files(*images, "static/site.css", *(f"app/{n}/main.py" for n in range(50)))
    assert choose_folded(entries) == {"static/img"}
    listed = take(Source("h", tuple(entries)), "Dockerfile", KEY)
    assert {path for path in listed.files if path.startswith("static")} == {
        "static/", "static/img/", "static/img/**", "static/site.css",
    }  # fmt: skip
    assert listed.files["static/img/**"].startswith("400 files ")
    assert "app/7/main.py" in listed.files
    assert listed.folded == {"static/img"}


def test_context_with_too_many_files_of_its_own_is_one_line() -> None:
    entries = of_files(*(f"{n}.py" for n in range(301)), "app/main.py")
    listed = take(Source("h", tuple(entries)), "Dockerfile", KEY)
    assert [*listed.files] == ["**"]
    assert listed.folded == {""}


def test_change_below_a_folded_folder_changes_its_line() -> None:
    entries = of_files(*(f"img/{n}.png" for n in range(400)))
    before = take(Source("h", tuple(entries)), "Dockerfile", KEY)
    entries[7] = entries[7]._replace(content="1" * 64)
    after = take(Source("h", tuple(entries)), "Dockerfile", KEY)
    assert differing(before, after) == {"img/**"}


@pytest.mark.parametrize("count", [300, 2000])
def test_source_is_listed_as_another_one_was(count: int) -> None:
    entries = of_files(*(f"img/{n}.png" for n in range(count)), "img/small/a", "img/small/b")
    listed = take(Source("h", tuple(entries)), "Dockerfile", KEY, folded={"img"})
    assert listed.files.keys() == {"img/", "img/**"}
    assert listed.files["img/**"].startswith(f"{count + 2} files ")


def test_file_that_is_called_like_a_folded_folder_is_not_taken_for_one() -> None:
    listed = take(Source("h", tuple(of_files("a/**"))), "Dockerfile", KEY)
    assert listed.folded == frozenset()
