"""A release goes into the ledger, and comes back out of it alone as it was; but for its secrets."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slipway.blueprint import (
    Marked,
    Record,
    kept_names,
    markers,
    own_services,
    probes_of,
    record,
    same_release,
)
from slipway.declared import restored
from slipway.errors import ConfigError
from slipway.extension import Probe, Route
from slipway.mounted_files import Mounted, UploadedFile
from slipway.released import restore
from slipway.services import Service
from slipway.state import LiveFact

from .support_release import (
    DEPENDENT,
    POSTGRES,
    SECRETS,
    SERVICE,
    STACK,
    Source,
    plans_of,
    prepared_of,
    released,
    secret,
    seen,
    some,
    sources,
    through_state,
)

slow = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
# Letters that no source is written with.
GREEK = st.text("αβγδ", min_size=4, max_size=8)
ANY = st.text("abc$ {}:@/=x", max_size=8) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x01\x02"), max_size=8
)
OLD = {"ALPHA": "hunter2", "BETA": "correct horse"}
NEW = {"ALPHA": "rotated", "BETA": "correct horse"}


def values_of(texts: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries(dict.fromkeys(SECRETS, texts))


def entry_of(source: Source, secrets: dict[str, str], *, marked: bool = True) -> dict[str, Any]:
    """A source's release as the ledger gives it back."""
    declared = source.declared(secrets, marked=marked)
    return released(prepared_of(declared), declared).ledger[0]


def web(**fields: Any) -> Source:
    """A source of one service."""
    return Source({"web": {"image": POSTGRES, **fields}})


def recorded(source: Source, secrets: dict[str, str], *, marked: bool = True) -> Record:
    return source.records(secrets, marked=marked)["web"]


def environment(variables: dict[str, str], *, marked: bool = True) -> Record:
    return recorded(web(environment=variables), OLD, marked=marked)


# --- what cannot be had ---------------------------------------------------------------------


def test_release_whose_secrets_have_no_value_is_refused_with_all_their_names() -> None:
    services = {
        "db": {"image": POSTGRES, "environment": {"A": f"<{secret('BETA')}>"}},
        "web": {"image": POSTGRES, "environment": {"B": secret("ALPHA"), "API_TOKEN": "literal"}},
    }
    entry = entry_of(replace(web(), services=services), OLD)
    (lost,) = kept_names(entry)
    with pytest.raises(ConfigError) as refused:
        restore(entry, {})
    run = "run pulumi config set --stack <stack> --secret --path slipway:secrets"
    assert refused.value.problems == (
        f"ALPHA has no value any more; {run}.ALPHA <value>",
        f"BETA has no value any more; {run}.BETA <value>",
        f"release 1 needs what the state has lost ({lost}), and no configuration has; release its "
        "source again",
    )


@pytest.mark.parametrize(("values", "named"), [({"ALPHA": "x"}, "kept:"), ({"kept": "x"}, "ALPHA")])
def test_what_alone_is_gone_is_told_alone(values: dict[str, str], named: str) -> None:
    entry = entry_of(web(environment={"A": secret("ALPHA"), "API_TOKEN": "literal"}), OLD)
    (kept,) = kept_names(entry)
    found = {kept if name == "kept" else name: value for name, value in values.items()}
    with pytest.raises(ConfigError, match=named) as refused:
        restore(entry, found)
    assert len(refused.value.problems) == 1


def test_file_that_is_not_there_under_a_marker_s_path_is_kept() -> None:
    """A folder that is named after a secret is found with the secret, and not with its marker."""
    service = Service(name="web", image=POSTGRES)
    mounted = Mounted((UploadedFile("/conf", b"x"),))
    twin = Marked(web().project({}), {"web": Mounted()}, {})
    found = record(service, mounted, STACK.key, OLD, twin)
    assert found == record(service, mounted, STACK.key, OLD)
    assert list(found.kept.values()) == ["eA=="]


def test_file_that_changes_while_it_is_read_is_kept_as_it_was_read_first() -> None:
    service = Service(name="web", image=POSTGRES)
    first, second = (Mounted((UploadedFile("/conf", content),)) for content in (b"1", b"\xff"))
    twin = Marked(web().project({}), {"web": second}, {})
    found = record(service, first, STACK.key, OLD, twin)
    assert found == record(service, first, STACK.key, OLD)


@pytest.mark.parametrize("marked", [True, False])
def test_service_that_sets_nothing_at_all_comes_back(marked: bool) -> None:
    source = Source({"web": {"build": {"context": f"/src/{'1' * 64}"}}})
    found = restore(entry_of(source, OLD, marked=marked), OLD)
    assert found.project.services["web"].model_dump(exclude={"build"}) == Service(
        name="web"
    ).model_dump(exclude={"build"})


# --- whatever it is -------------------------------------------------------------------------


def test_every_key_of_a_service_is_among_what_is_generated() -> None:
    keys = {field.alias or name for name, field in Service.model_fields.items()}
    assert SERVICE.keys() | DEPENDENT == keys


@slow
@given(sources(), values_of(ANY), st.booleans())
def test_release_comes_back_from_the_ledger_as_it_was(
    source: Source, values: dict[str, str], marked: bool
) -> None:
    declared = source.declared(values, marked=marked)
    prepared = prepared_of(declared)
    live = released(prepared, declared)
    again = restored(1, live, values, prepared.kept)
    assert seen(prepared_of(again)) == seen(prepared)


@slow
@given(sources(), values_of(ANY), values_of(ANY))
def test_release_comes_back_with_today_s_secrets_where_the_file_refers_to_them(
    source: Source, then: dict[str, str], today: dict[str, str]
) -> None:
    declared = source.declared(then)
    prepared = prepared_of(declared)
    live = replace(released(prepared, declared), containers={})
    again = prepared_of(restored(1, live, today, prepared.kept))
    assert seen(again) == seen(prepared_of(source.declared(today)))


@slow
@given(sources(), values_of(ANY))
def test_restored_release_is_recorded_as_it_was(source: Source, values: dict[str, str]) -> None:
    declared = source.declared(values)
    prepared = prepared_of(declared)
    live = released(prepared, declared)
    again = restored(1, live, values, prepared.kept)
    second = released(prepared_of(again, known=prepared.kept), again).ledger[0]
    assert second == {**live.ledger[0], "rollback_of": 1, "time": second["time"]}
    assert prepared_of(again, live, prepared.kept).kept == prepared.kept


@slow
@given(sources(), values_of(GREEK), st.booleans())
def test_no_secret_is_in_the_ledger_or_in_a_name(
    source: Source, values: dict[str, str], marked: bool
) -> None:
    declared = source.declared(values, marked=marked)
    prepared = prepared_of(declared)
    names = [[plan.name, plan.resource] for plan in prepared.containers]
    shown = json.dumps(
        [released(prepared, declared).ledger, sorted(prepared.kept), names, prepared.fingerprint],
        ensure_ascii=False,
    )
    assert [value for value in values.values() if value in shown] == []
    assert [value for value in values.values() if value in repr(declared.records)] == []


@slow
@given(sources(), values_of(ANY), values_of(ANY))
def test_rotated_secret_makes_no_other_release(
    source: Source, then: dict[str, str], today: dict[str, str]
) -> None:
    assert same_release(entry_of(source, then), entry_of(source, today))


@slow
@given(sources(), st.data())
def test_any_other_change_makes_another_release(source: Source, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(source.services)))
    key = data.draw(st.sampled_from(sorted(SERVICE.keys() - {"secrets", "configs"})))
    service = {k: v for k, v in source.services[name].items() if k != key}
    changed = {**service, **data.draw(some(**{key: SERVICE[key]}))}
    if "build" not in changed:
        changed["image"] = POSTGRES
    other = replace(source, services={**source.services, name: changed})
    equal = [c["spec"] for c in seen(prepared_of(source.declared(OLD))).containers] == [
        c["spec"] for c in seen(prepared_of(other.declared(OLD))).containers
    ]
    assert equal or not same_release(entry_of(source, OLD), entry_of(other, OLD))


# --- the configuration's secrets ------------------------------------------------------------


def test_secret_that_is_equal_to_another_text_is_referred_to_only_where_the_file_does() -> None:
    source = web(environment={"DB_USER": "postgres", "DB_PASSWORD": secret("ALPHA")})
    declared = source.declared({"ALPHA": "postgres"})
    prepared = prepared_of(declared)
    live = released(prepared, declared)
    assert live.ledger[0]["services"]["web"]["record"]["environment"] == {
        "DB_USER": "postgres",
        "DB_PASSWORD": "${ALPHA}",
    }
    (plan,) = plans_of(restored(1, live, {"ALPHA": "rotated"}, prepared.kept))
    assert plan.spec.environment == {"DB_USER": "postgres", "DB_PASSWORD": "rotated"}


def test_secrets_are_kept_where_the_file_cannot_be_read_with_markers() -> None:
    found = environment({"A": secret("ALPHA"), "B": "plain"}, marked=False)
    (kept,) = found.kept
    assert found == Record(
        {
            "service": {"image": POSTGRES},
            "environment": {"A": f"${{{kept}}}", "B": "plain"},
        },
        {kept: "hunter2"},
    )
    assert found.holds_secret


@pytest.mark.parametrize("marked", [True, False])
def test_service_without_secrets_keeps_none(marked: bool) -> None:
    found = environment({"LEVEL": "info"}, marked=marked)
    assert (found.kept, found.holds_secret) == ({}, False)


def test_kept_value_is_named_after_its_content_and_the_stack_s_key() -> None:
    service = web(environment={"API_TOKEN": "literal"}).project({}).services["web"]
    keys = (STACK.key, STACK.key, "another stack's key")
    first, second, elsewhere = ([*record(service, Mounted(), k, {}).kept] for k in keys)
    assert first == second != elsewhere
    assert re.fullmatch(r"kept:[0-9a-f]{16}", *first)


def test_marker_of_a_secret_is_a_word_of_its_own_that_tells_nothing() -> None:
    found = markers({"A": "hunter2", "B": "hunter2"}, STACK.key)
    assert markers({"A": "other", "B": "other"}, STACK.key) == found
    assert markers({"A": "hunter2"}, "another stack's key")["A"] != found["A"]
    assert len({*found.values()}) == 2
    assert all(re.fullmatch(r"s[0-9a-f]{31}", marker) for marker in found.values())


# --- literals -------------------------------------------------------------------------------


def test_literal_secret_comes_back_from_what_is_kept() -> None:
    url = "postgres://quotes:s3cret@db/quotes"
    source = web(environment={"DATABASE_URL": url, "API_TOKEN": "abcdefgh", "LEVEL": "info"})
    declared = source.declared(OLD)
    prepared = prepared_of(declared)
    entry = released(prepared, declared).ledger[0]
    assert sorted(prepared.kept.values()) == ["abcdefgh", url]
    assert kept_names(entry) == prepared.kept.keys()
    (plan,) = plans_of(restored(1, LiveFact([entry]), OLD, prepared.kept))
    assert plan.spec.environment == {
        "DATABASE_URL": url,
        "API_TOKEN": "abcdefgh",
        "LEVEL": "info",
    }


def test_literal_secret_is_kept_wherever_it_stands_again() -> None:
    found = recorded(
        web(
            environment={"API_TOKEN": "abcdefgh", "AGAIN": "<abcdefgh>"},
            command=["run", "--token=abcdefgh"],
        ),
        OLD,
    )
    (name,) = found.kept
    assert found.content["environment"]["AGAIN"] == f"<${{{name}}}>"
    assert found.content["service"]["command"] == ["run", f"--token=${{{name}}}"]


def test_short_literal_is_kept_for_its_own_variable_alone() -> None:
    found = environment({"PASSWORD": "1", "COUNT": "1", "PORT": "8001"})
    (name,) = found.kept
    assert found.content["environment"] == {
        "PASSWORD": f"${{{name}}}",
        "COUNT": "1",
        "PORT": "8001",
    }


def test_literal_password_beside_a_reference_is_kept_too() -> None:
    found = environment({"DATABASE_URL": f"postgres://me:s3cret@db/{secret('ALPHA')}"})
    (name,) = found.kept
    assert found.content["environment"] == {
        "DATABASE_URL": f"postgres://me:${{{name}}}@db/${{ALPHA}}"
    }
    assert found.kept == {name: "s3cret"}


def test_password_that_is_put_together_follows_its_secret() -> None:
    url = f"postgres://me:{secret('ALPHA')}-1@db/shop"
    found = environment({"DATABASE_URL": url, "API_TOKEN": f"v1.{secret('BETA')}"})
    assert found == Record(
        {
            "service": {"image": POSTGRES},
            "environment": {
                "DATABASE_URL": "postgres://me:${ALPHA}-1@db/shop",
                "API_TOKEN": "v1.${BETA}",
            },
        }
    )


# --- files ----------------------------------------------------------------------------------


def test_content_of_files_is_kept_and_what_they_refer_to_is_today_s() -> None:
    source = replace(
        web(),
        files={
            "web": [
                ("/etc/app/$HOME/${X}", b"\x00\xff", False),
                ("/run/secrets/token", f"{secret('ALPHA')}\n", True),
                ("/etc/app.conf", f"user=me\npassword={secret('ALPHA')}\n{secret('BETA')}", False),
                ("/etc/empty", b"", False),
            ]
        },
    )
    declared = source.declared(OLD)
    prepared = prepared_of(declared)
    live = released(prepared, declared)
    entry = live.ledger[0]
    shown = json.dumps(entry)
    assert [text for text in ("hunter2", "correct horse", "user=me") if text in shown] == []
    found = restore(entry, {**NEW, **prepared.kept}).mounted["web"].files
    assert [(file.path, file.content, file.permissions, file.secret) for file in found] == [
        ("/etc/app/$HOME/${X}", b"\x00\xff", "0644", False),
        ("/run/secrets/token", b"rotated\n", "0400", True),
        ("/etc/app.conf", b"user=me\npassword=rotated\ncorrect horse", "0644", False),
        ("/etc/empty", b"", "0644", False),
    ]


@pytest.mark.parametrize("marked", [True, False])
def test_password_in_the_options_of_a_volume_is_not_in_the_ledger(marked: bool) -> None:
    options = {"type": "cifs", "o": f"username=shop,password={secret('ALPHA')}"}
    volumes = {"files": {"driver_opts": options}}
    source = Source({"web": {"image": POSTGRES}}, beside={"volumes": volumes})
    declared = source.declared(OLD, marked=marked)
    prepared = prepared_of(declared)
    entry = released(prepared, declared).ledger[0]
    assert OLD["ALPHA"] not in json.dumps(entry)
    today = NEW if marked else OLD
    found = restore(entry, {**today, **prepared.kept}).project.volumes["files"].driver_opts
    assert found["o"] == f"username=shop,password={today['ALPHA']}"


@pytest.mark.parametrize(
    ("content", "hidden", "holds"),
    [
        (b"plain", False, False),
        (b"plain", True, True),
        (secret("ALPHA"), False, True),
    ],
)
def test_service_with_a_secret_in_a_file_holds_one(
    content: str | bytes, hidden: bool, holds: bool
) -> None:
    source = replace(web(), files={"web": [("/conf", content, hidden)]})
    assert recorded(source, OLD).holds_secret is holds


def test_folder_of_this_machine_is_not_recorded_and_one_of_the_host_is() -> None:
    bind = {"type": "bind", "source": "/here/conf", "target": "/conf"}
    host = {"type": "bind", "source": "/srv/media", "target": "/media", "read_only": True}
    source = replace(web(volumes=[bind]), host_paths={"web": [host]})
    found = recorded(source, {})
    assert found.content == {
        "service": {"image": POSTGRES, "volumes": []},
        "host_paths": [host],
    }


# --- entries --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"environment": {"LEVEL": "debug"}},
        {"x-slipway": {"timeout": "3s"}},
        {"environment": {"LEVEL": "info", "API_TOKEN": "another literal"}},
        {"command": ["run"]},
        {"image": POSTGRES.replace("e" * 64, "f" * 64)},
    ],
)
def test_edit_of_the_file_makes_another_release(change: dict[str, Any]) -> None:
    source = web(environment={"LEVEL": "info", "API_TOKEN": "literal"})
    other = Source({"web": {**source.services["web"], **change}})
    assert same_release(entry_of(source, OLD), entry_of(source, NEW))
    assert not same_release(entry_of(source, OLD), entry_of(other, OLD))


def test_release_with_other_services_volumes_or_files_is_another() -> None:
    source = web()
    others = [
        Source({**source.services, "worker": {"image": POSTGRES}}),
        replace(source, beside={"volumes": {"data": {}}}),
        replace(source, files={"web": [("/conf", b"1", False)]}),
    ]
    assert [same_release(entry_of(source, OLD), entry_of(other, OLD)) for other in others] == [
        False
    ] * 3


def test_release_command_is_none_of_the_services_that_are_restored() -> None:
    source = Source(
        {"web": {"build": {"context": f"/src/{'1' * 64}"}, "x-slipway": {"release": "migrate"}}}
    )
    entry = entry_of(source, OLD)
    assert sorted(entry["services"]) == ["web", "web-release"]
    assert list(own_services(entry)) == ["web"]
    assert list(restore(entry, {}).project.services) == ["web"]


def test_names_of_kept_values_are_told_from_those_of_secrets() -> None:
    found = ["${ALPHA} ${kept:0123456789abcdef}", {"a": "$${kept:none}"}]
    assert kept_names(found) == {"kept:0123456789abcdef"}


# --- probes of an entry ---------------------------------------------------------------------


def probes(checks: Any) -> Any:
    source = web(**{"x-slipway": checks})
    return probes_of(entry_of(source, OLD)["services"]["web"])


def test_probes_of_an_entry_are_those_of_the_file() -> None:
    checks = {
        "route": {"port": 8000},
        "probes": [{"path": "/a$b", "json": {"a": None, "b": [1.0]}}, {"tcp": True}],
    }
    assert probes(checks) == (
        Route(port=8000),
        [
            ("GET /a$b", Probe.model_validate(checks["probes"][0])),  # type: ignore[index]
            ("tcp", Probe(tcp=True)),
        ],
    )


@pytest.mark.parametrize("checks", [{}, {"route": None}, {"route": None, "probes": []}])
def test_service_without_a_route_has_none_in_its_entry(checks: Any) -> None:
    assert probes(checks) == (None, [])


def test_entry_without_a_record_has_no_probes() -> None:
    assert probes_of({"image": "x", "job_of": "web"}) == (None, [])


def test_probe_whose_request_holds_a_secret_is_named_and_not_given() -> None:
    keyed = {"path": f"/status?key={secret('ALPHA')}"}
    named = {"path": "/in", "name": "login", "headers": {"Authorization": secret("ALPHA")}}
    checks = {"route": {"port": 8000}, "probes": [keyed, named, {"path": "/health"}]}
    assert probes(checks) == (
        Route(port=8000),
        [
            ("/status?key=${ALPHA}", None),
            ("login", None),
            ("GET /health", Probe(path="/health")),
        ],
    )


def test_no_probe_is_given_where_the_way_to_it_holds_a_secret() -> None:
    """Such as a host's name that a literal password is part of."""
    route = {"port": 8000, "host": [f"{secret('ALPHA')}.example.com"]}
    assert probes({"route": route, "probes": [{"path": "/health"}]}) == (
        None,
        [("/health", None)],
    )


def test_entry_comes_out_of_the_state_as_it_went_in() -> None:
    """What the tests above hold for the state: no null, no whole float, sorted keys."""
    assert through_state({"b": 1, "a": [2, 0.5, True], "c": None, "d": {"e": None}}) == {
        "a": [2, 0.5, True],
        "b": 1,
        "d": {},
    }
