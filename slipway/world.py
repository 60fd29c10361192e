"""What a gate works with."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from slipway.evidence.recorder import Recorder, silent
from slipway.host import Host
from slipway.probes import Prober
from slipway.proof.course import Images
from slipway.redact import Redactor


@dataclass(frozen=True)
class World:
    """What a gate works with.

    Args:
        host: the engine.
        prober: asks the stack's public address.
        redact: hides secrets in what is reported.
        report: takes a line of progress.
        clock: gives seconds.
        sleep: passes them.
        evidence: takes down what was seen.
        images: looks into images; None where none are to be proven.
    """

    host: Host
    prober: Prober
    redact: Redactor
    report: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    evidence: Recorder = field(default_factory=silent)
    images: Images | None = None
