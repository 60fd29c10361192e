import pytest

from slipway.errors import ConfigError
from slipway.unset_variables import no_value, told_for


def test_command_that_is_proposed_names_the_stack_where_it_is_known() -> None:
    with pytest.raises(ConfigError) as caught, told_for("prod"):
        raise ConfigError([no_value("MAIL_HOST", "or remove it"), "another"])
    assert caught.value.problems == (
        "has no value; set it under slipway:variables, or with pulumi config set --stack prod "
        "--secret --path slipway:secrets.MAIL_HOST <value>, or remove it",
        "another",
    )
