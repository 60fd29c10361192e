from hypothesis import given
from hypothesis import strategies as st

from slipway.explain.model import (
    Change,
    Command,
    Commit,
    Explanation,
    FileChanges,
    ServiceChange,
    SourceImage,
    Status,
)
from slipway.preview.comment import comment
from slipway.preview.model import Operation, StackPreview, Step, redacted
from slipway.redact import Redactor

SECRET = "correct*horse"


def test_secret_is_hidden_wherever_it_stands() -> None:
    files = FileChanges((SECRET,), (SECRET,), (SECRET,), {SECRET: SECRET})
    service = ServiceChange(
        SECRET,
        Status.CHANGED,
        True,
        (SECRET, SECRET),
        files,
        (Change(SECRET, SECRET, SECRET),),
        (Change(SECRET, None, SECRET),),
        (Commit(SECRET, SECRET, SECRET),),
        (SECRET,),
    )
    explanation = Explanation(
        SECRET,
        (service,),
        1,
        SECRET,
        SECRET,
        (Change(SECRET, SECRET, None),),
        (SECRET,),
        (SourceImage(SECRET, (SECRET,), SECRET),),
        (Command(SECRET, SECRET),),
    )
    step = Step(Operation.DELETE, SECRET, SECRET)
    found = StackPreview(SECRET, explanation, (step,), (SECRET,), SECRET, SECRET, SECRET)
    hidden = redacted(found, Redactor([SECRET]))
    assert "horse" not in repr(hidden)
    assert "horse" not in comment([hidden])


def test_words_of_our_own_stay_what_they_are() -> None:
    step = Step(Operation.DELETE, "delete", "shop")
    hidden = redacted(step, lambda text: "[secret]")
    assert hidden == Step(Operation.DELETE, "[secret]", "[secret]")
    assert hidden.operation is Operation.DELETE


@given(st.text(), st.booleans())
def test_preview_in_which_nothing_is_hidden_stays_as_it_is(text: str, kept: bool) -> None:
    found = StackPreview(text, None, (Step(Operation.CREATE, text, text, kept),), (text,), text)
    assert redacted(found, str) == found
