"""The part of scripts/doctor that comes before each deploy: can this machine deploy at all?"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from slipway.commands.doctor import surroundings
from slipway.doctor.collect import collect_machine
from slipway.doctor.findings import Level
from slipway.doctor.machine_checks import check_machine
from slipway.doctor.stack_file import parse_stack_file
from slipway.doctor.surroundings import Project, attempt
from slipway.toolchain.places import LOCAL_REGISTRY
from slipway.yaml_edit import read_text


def machine_problems(stack: str) -> list[str]:
    """What keeps this machine from deploying a stack, a line each."""
    with surroundings() as around:
        root = around.root
        registry = around.environ.get("SLIPWAY_REGISTRY") or LOCAL_REGISTRY
        name = f"stacks/Pulumi.{stack}.yaml"
        file = attempt(
            lambda: parse_stack_file(
                name, read_text(root / name), read_text(root / "Pulumi.yaml"), registry.rstrip("/")
            )
        )
        with ThreadPoolExecutor() as pool:
            known = pool.submit(attempt, around.pulumi.stacks)
            facts = collect_machine(around, Project("", {stack: file}, (), {}, {}))
        findings = check_machine(replace(facts, backend=known.result()))
    return [
        f"{finding.check}: {finding.what}: {finding.why}; {finding.command}"
        for finding in findings
        if finding.level is Level.PROBLEM
    ]
