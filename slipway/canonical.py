"""One way to turn a value into bytes, so that equal values have equal hashes."""

import hashlib
import hmac
import json
from typing import Any

SHORT = 12
"""Characters of a hash that stand in names; 48 bits are plenty for one stack's releases."""


def canonical_json(value: Any) -> bytes:
    """The value as JSON with sorted keys and no spaces."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def digest(value: Any) -> str:
    """SHA-256 of the value's canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def keyed_digest(key: str, value: Any) -> str:
    """HMAC-SHA-256 of the value's canonical JSON: values cannot be tried out without the key."""
    return hmac.new(key.encode(), canonical_json(value), hashlib.sha256).hexdigest()


def integers(value: Any) -> Any:
    """The value with whole floats made integers, as they were before the engine stored them."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: integers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [integers(item) for item in value]
    return value
