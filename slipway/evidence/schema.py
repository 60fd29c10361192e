"""Prints the JSON schema of the evidence: `python -m slipway.evidence.schema`."""

import json

from slipway.evidence.model import Evidence


def schema() -> str:
    """The schema, as docs/evidence.schema.json has it."""
    return json.dumps(Evidence.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(schema(), end="")
