"""What typed values of a compose file have in common."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from slipway.durations import parse_duration

Seconds = Annotated[
    float,
    BeforeValidator(lambda v: parse_duration(v) if isinstance(v, str) else v),
    Field(ge=0, allow_inf_nan=False),
]
"""A duration: compose notation (`15s`) or a number of seconds."""


def texts(value: Any) -> Any:
    """A list, where one text is given too."""
    return [value] if isinstance(value, str) else value


class Model(BaseModel):
    """A frozen value that refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)
