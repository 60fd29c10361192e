import pytest
from pydantic import ValidationError

from slipway.proof.settings import Proof


def problems(written: dict[str, object]) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        Proof.model_validate(written)
    return [detail["msg"] for detail in caught.value.errors()]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"files": {"/app": "/srv"}}, '"/app" is not a path from the root of the build context'),
        ({"files": {"../app": "/srv"}}, '"../app" is not a path from the root of the build'),
        ({"files": {"app": "srv"}}, '"srv" is not an absolute path of the image; write /srv'),
        ({"required": ["data"]}, '"data" is not an absolute path of the image; write /data'),
        ({"imports": ["app/main.py"]}, '"app/main.py" is no module\'s name'),
        ({"imports": ["main; rm"]}, '"main; rm" is no module\'s name'),
        ({"app": "main"}, '"main" names no application; write module:name, like main:app'),
        ({"app": "main:"}, '"main:" names no application'),
        ({"app": "main:make(1)"}, '"main:make(1)" names no application'),
        ({"routes": {}}, "asks for nothing; add at_least: 1, or named: [/health]"),
        ({"routes": {"named": ["health"]}}, '"health" is not an absolute path'),
        ({"routes": {"at_least": -1}}, "greater than or equal to 0"),
        ({"root": True}, "Extra inputs are not permitted"),
    ],
)
def test_what_cannot_be_meant_is_refused(written: dict[str, object], said: str) -> None:
    (problem,) = problems(written)
    assert said in problem


def test_one_text_stands_for_a_list_of_one() -> None:
    found = Proof.model_validate(
        {"generated": "app/*", "required": "/data", "imports": "main", "files": {"./app/": "/srv"}}
    )
    assert found == Proof(
        generated=["app/*"], required=["/data"], imports=["main"], files={"app": "/srv"}
    )


@pytest.mark.parametrize("name", ["main:app", "shop.wsgi:application", "a.b:make()", "a:b.c"])
def test_application_is_named_as_servers_take_it(name: str) -> None:
    assert Proof(app=name).app == name


@pytest.mark.parametrize(
    ("written", "asks", "declared"),
    [
        ({}, False, False),
        ({"files": {"app": "/srv"}, "generated": ["x"]}, False, False),
        ({"required": ["/data"]}, False, True),
        ({"imports": ["main"]}, True, True),
        ({"routes": {"at_least": 1}}, True, True),
    ],
)
def test_python_is_run_only_where_something_is_asked_of_it(
    written: dict[str, object], asks: bool, declared: bool
) -> None:
    proof = Proof.model_validate(written)
    assert (proof.asks_python, proof.declared) == (asks, declared)
