import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from slipway.evidence.model import Evidence
from slipway.evidence.schema import schema

DOCS = Path(__file__).parents[3] / "docs"
BEGUN = Evidence(stack="test", run="20260102T030405Z", started="2026-01-02T03:04:05+00:00")


def test_published_schema_is_the_one_of_the_model() -> None:
    """To mend it: python -m slipway.evidence.schema > docs/evidence.schema.json."""
    assert (DOCS / "evidence.schema.json").read_text() == schema()


def test_report_comes_back_as_it_was() -> None:
    assert Evidence.model_validate_json(BEGUN.as_json()) == BEGUN


def test_report_has_its_version_and_all_keys() -> None:
    found = json.loads(BEGUN.as_json())
    assert found["version"] == 1
    assert found.keys() == Evidence.model_fields.keys()


def test_unknown_key_is_no_evidence() -> None:
    with pytest.raises(ValidationError):
        Evidence.model_validate({**BEGUN.model_dump(), "more": 1})
