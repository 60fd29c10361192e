import pytest

from slipway.canonical import SHORT
from slipway.proxy import caddy_config, settings_id

KEY = "gate-{file./slipway/candidate/key}"


def headers(response: dict[str, object]) -> dict[str, object]:
    return {"headers": {"request": {"delete": ["X-Slipway-Candidate"]}, "response": response}}


def test_configuration_is_constant_but_for_the_routed_service() -> None:
    assert caddy_config("web") == {
        "admin": {"listen": "127.0.0.1:2019"},
        "logging": {"logs": {"default": {"level": "WARN"}}},
        "apps": {
            "http": {
                "grace_period": "30s",
                "servers": {
                    "public": {
                        "listen": [":8080"],
                        "automatic_https": {"disable": True},
                        "routes": [
                            {
                                "match": [{"header": {"X-Slipway-Candidate": [KEY]}}],
                                "handle": [
                                    {
                                        "handler": "reverse_proxy",
                                        "upstreams": [{"dial": "{file./slipway/candidate/web}"}],
                                        **headers({"set": {"X-Slipway-Candidate": [KEY]}}),
                                    }
                                ],
                                "terminal": True,
                            },
                            {
                                "handle": [
                                    {
                                        "handler": "reverse_proxy",
                                        "upstreams": [{"dial": "{file./slipway/live/web}"}],
                                        **headers({"delete": ["X-Slipway-Candidate"]}),
                                        "load_balancing": {
                                            "try_duration": "2s",
                                            "try_interval": "100ms",
                                        },
                                    }
                                ]
                            },
                        ],
                        "errors": {
                            "routes": [
                                {
                                    "handle": [
                                        {
                                            "handler": "static_response",
                                            "status_code": "{http.error.status_code}",
                                            "body": "The application does not answer "
                                            "({http.error.status_code}).\n",
                                            "headers": {
                                                "Content-Type": ["text/plain; charset=utf-8"],
                                                "Server": ["slipway"],
                                            },
                                        }
                                    ]
                                }
                            ]
                        },
                    }
                },
            }
        },
    }


SETTINGS = {"service": "web", "image": "caddy@sha256:1", "port": 8000, "bind": "0.0.0.0"}


def test_settings_have_one_name() -> None:
    assert settings_id(**SETTINGS) == settings_id(**SETTINGS)
    assert len(settings_id(**SETTINGS)) == SHORT


@pytest.mark.parametrize(
    "change",
    [{"service": "api"}, {"image": "caddy@sha256:2"}, {"port": 8001}, {"bind": "127.0.0.1"}],
    ids=lambda change: next(iter(change)),
)
def test_another_setting_gives_another_name(change: dict[str, object]) -> None:
    assert settings_id(**{**SETTINGS, **change}) != settings_id(**SETTINGS)
