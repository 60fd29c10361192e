import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from slipway.evidence.model import Evidence, Failure, Git, Phase, ProbeResult, ServiceEvidence
from slipway.evidence.schema import schema

DOCS = Path(__file__).parents[3] / "docs"
BEGUN = Evidence(stack="test", run="20260102T030405Z", started="2026-01-02T03:04:05+00:00")


SECONDS = st.floats(allow_nan=False, allow_infinity=False)
PROBES = st.builds(ProbeResult, milliseconds=st.none() | SECONDS)
ANY = st.builds(
    Evidence,
    git=st.none() | st.builds(Git),
    phases=st.lists(st.builds(Phase, begins=SECONDS, seconds=SECONDS), max_size=2),
    services=st.lists(
        st.builds(
            ServiceEvidence,
            image_running=st.lists(st.text(), max_size=2),
            started_after_image=st.sampled_from([True, False, None]),
            probes=st.lists(PROBES, max_size=2),
            exit_code=st.none() | st.integers(0, 255),
            log_tail=st.text(),
        ),
        max_size=2,
    ),
    failure=st.none() | st.builds(Failure, report=st.text()),
)


def test_published_schema_is_the_one_of_the_model() -> None:
    """To mend it: python -m slipway.evidence.schema > docs/evidence.schema.json."""
    assert (DOCS / "evidence.schema.json").read_text() == schema()


@given(ANY)
def test_report_comes_back_as_it_was(evidence: Evidence) -> None:
    assert Evidence.model_validate_json(evidence.as_json()) == evidence


def test_report_has_its_version_and_all_keys() -> None:
    found = json.loads(BEGUN.as_json())
    assert found["version"] == 1
    assert found.keys() == Evidence.model_fields.keys()


def test_unknown_key_is_no_evidence() -> None:
    with pytest.raises(ValidationError):
        Evidence.model_validate({**BEGUN.model_dump(), "more": 1})
