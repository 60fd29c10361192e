"""A secret gets into the container, and nowhere else that people look."""

from tests.e2e.harness import Sandbox, Watcher

SECRET = "correct-horse-battery"
URL = f"postgres://quotes:{SECRET}@db.internal/quotes"


def test_a_secret_in_a_traceback_is_hidden_everywhere(sandbox: Sandbox) -> None:
    for name, value in (("DATABASE_URL", URL), ("PLAIN_NAME", "tr0ub4dor&3")):
        done = sandbox.pulumi(
            "config", "set", "--stack", "test", "--secret", "--path",
            f"slipway:secrets.{name}", value,
        )  # fmt: skip
        assert done.code == 0, done.output
    sandbox.replace(
        "app/compose.yaml",
        '      FORWARDED_ALLOW_IPS: "*"\n',
        '      FORWARDED_ALLOW_IPS: "*"\n'
        "      DATABASE_URL: ${DATABASE_URL}\n"
        "      GREETING: hello ${PLAIN_NAME}\n",
    )
    sandbox.set_version("1.0.1")
    with Watcher(sandbox.url()):
        good = sandbox.must_up()
    container = sandbox.engine.containers.get(sandbox.live("web"))
    assert f"DATABASE_URL={URL}" in container.attrs["Config"]["Env"]

    fault = "import os; raise RuntimeError(os.environ['DATABASE_URL'] + os.environ['GREETING'])\n"
    with sandbox.changed("app/app/main.py", lambda text: fault + text), Watcher(sandbox.url()):
        bad = sandbox.must_fail()
    # The traceback itself is shown, without its secret.
    assert "RuntimeError: " in bad.output
    assert "[secret]" in bad.output
    preview = sandbox.preview("test", "--diff")
    outputs = sandbox.pulumi("stack", "output", "--json", "--stack", "test")
    shown = [good.output, bad.output, preview.output, outputs.output, sandbox.export()]
    shown += list(sandbox.containers())
    for text in shown:
        assert SECRET not in text
        assert "tr0ub4dor&3" not in text


def test_the_ledger_names_a_secret_instead_of_holding_it(sandbox: Sandbox) -> None:
    record = sandbox.deployment().live.ledger[0]["services"]["web"]["record"]
    environment = record["environment"]
    assert environment["DATABASE_URL"] == "${DATABASE_URL}"
    assert environment["GREETING"] == "hello ${PLAIN_NAME}"
