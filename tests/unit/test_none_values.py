from slipway.none_values import with_none, without_none


def test_nulls_come_back_out_of_the_state() -> None:
    value = {"networks": {"back": None}, "list": [None, {"a": 1}], "text": "", "empty": {}}
    kept = without_none(value)
    assert kept == {
        "networks": {"back": {"$none": ""}},
        "list": [{"$none": ""}, {"a": 1}],
        "text": "",
        "empty": {},
    }
    assert with_none(kept) == value
