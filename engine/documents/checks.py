"""What documents alone decide beyond their schemas: contradictions (errors), traps (warnings)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.documents.diagnostics import Diagnostic
from engine.documents.estate_checks import check_estate
from engine.documents.model import Estate, Policy
from engine.documents.policy_checks import check_policy
from engine.documents.sources import Sources


def check_documents(
    estate: Estate, policies: Mapping[str, Policy], sources: Sources
) -> Iterator[Diagnostic]:
    """Yield what is wrong with an estate and those policies that could be read."""
    yield from check_estate(estate, policies, sources)
    for name, policy in policies.items():
        yield from check_policy(policy, estate, sources.policies[name], sources)
