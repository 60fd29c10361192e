"""The end of scripts/deploy: is the release that the state calls live really there?"""

import json
import subprocess
from typing import Annotated

import typer

from slipway.commands.edge import errors_shown
from slipway.errors import HostError
from slipway.host import connect
from slipway.probes import Prober
from slipway.verify import Deployment, parse_export
from slipway.verify import verify as checks


def verify(stack: Annotated[str, typer.Argument(help="stack to look at")]) -> None:
    """Compare a stack's containers, proxy and public address with its state."""
    with errors_shown():
        deployment = _export(stack)
        head = deployment.live.ledger[0]
        print(f"release {head['number']} of {stack}, {head['time']}, at {deployment.address}")
        host = connect()
        try:
            results = list(checks(deployment, host, Prober(deployment.address)))
        finally:
            host.close()
    for result in results:
        print(result)
    if any(result.passed is False for result in results):
        print(f"not verified; run pulumi up --stack {stack}, which puts it right through the gate")
        raise SystemExit(1)
    left_out = sum(result.passed is None for result in results)
    print(f"verified, but for {left_out} that could not be asked" if left_out else "verified")


def _export(stack: str) -> Deployment:
    command = ["pulumi", "stack", "export", "--stack", stack]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise HostError(f"the state of {stack} cannot be read: {answer.stderr.strip()}")
    return parse_export(stack, json.loads(answer.stdout))


if __name__ == "__main__":
    typer.run(verify)
