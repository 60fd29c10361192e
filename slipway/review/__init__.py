"""What is refused, and what is warned about, in a compose file whose keys are all understood.

Each rule is a function of the subject that yields findings; none of them looks at anything but the
file and the Dockerfiles that it names. All are told together.
"""

from slipway.review import backing, commands, holding, routing, storage
from slipway.review.subject import Finding, Subject

__all__ = ["Finding", "Subject", "review"]

_RULES = (
    routing.missing_routes,
    routing.clashing_routes,
    routing.unchecked_routes,
    routing.unreachable_names,
    routing.fixed_ports,
    routing.proxies_without_route,
    routing.container_names,
    holding.short_holds,
    backing.databases_without_volume,
    backing.published_ports,
    backing.unknown_readiness,
    backing.nothing_to_run,
    commands.schedulers,
    commands.empty_words,
    commands.development_servers,
    commands.migrations_at_start,
    commands.soft_health_checks,
    commands.restart_policies,
    commands.misplaced_release_commands,
    storage.undeclared_volumes,
    storage.reserved_volumes,
    storage.unmounted_image_volumes,
    storage.stale_static_volumes,
    storage.single_writer_files,
    storage.literal_secrets,
)


def review(subject: Subject) -> list[Finding]:
    """All findings, in the order of the file's lines; nothing of what could not be read."""
    findings = [
        finding
        for rule in _RULES
        for finding in rule(subject)
        if finding.service not in subject.unread
    ]
    return sorted(dict.fromkeys(findings), key=lambda finding: (finding.line, finding.text))
