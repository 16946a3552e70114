"""Adoption: snapshots of other tools come under a policy by tags alone, without moving data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from engine.documents.model import Documents
from engine.identity.marks import tags_of
from engine.inventory.records import Inventory, Location, Scope, Snapshot
from engine.planning.adoptable import Adopter, Adoption, Left, Wanted
from engine.planning.plan import direct_plan, make_plan
from engine.planning.steps import tag_snapshot
from engine.planning.survey import survey
from engine.plans.codes import Action, Check, Fate, StepReason
from engine.plans.plan import Afterwards, At, Plan, PlanOptions, Precondition, Reason, Step, Warned
from engine.verifying.adoption import verify_adoption

LEFT = "W421 not-adopted"
NAMES = 12


def plan_adoption(
    documents: Documents, inventory: Inventory, now: datetime, wanted: Wanted
) -> Plan:
    """Return the plan whose tags bring what is wanted under a policy; it deletes nothing.

    Its `afterwards` says what the next plan would do with it, were this one applied now.
    """
    world, _ = survey(documents, inventory, now)
    adopter = Adopter(world, wanted)
    adopted, left = adopter.all()
    tagged = _with_tags(inventory, adopted)
    steps = list(_steps(documents, tagged, now, adopted))
    findings = verify_adoption(steps, documents, inventory)
    return replace(
        direct_plan([world], steps, findings),
        warnings=tuple(_warnings(left, adopted, wanted)),
        afterwards=tuple(_afterwards(documents, tagged, now, adopted)),
        only=(wanted.address,),
    )


def _with_tags(inventory: Inventory, adopted: Mapping[str, Adoption]) -> Inventory:
    """Return the inventory as it will be once the tags are there."""
    scopes = {at: _tagged_scope(scope, adopted) for at, scope in inventory.scopes.items()}
    return replace(inventory, scopes=scopes)


def _tagged_scope(scope: Scope, adopted: Mapping[str, Adoption]) -> Scope:
    if scope.snapshots is None:
        return scope
    return replace(scope, snapshots=tuple(_tagged(one, adopted) for one in scope.snapshots))


def _tagged(snapshot: Snapshot, adopted: Mapping[str, Adoption]) -> Snapshot:
    adoption = adopted.get(snapshot.arn)
    if adoption is None:
        return snapshot
    return replace(snapshot, tags={**snapshot.tags, **tags_of(adoption.marks)})


def _steps(
    documents: Documents, tagged: Inventory, now: datetime, adopted: Mapping[str, Adoption]
) -> Iterator[Step]:
    """Yield the steps, by the source that each snapshot is of once it is adopted."""
    _, sources = survey(documents, tagged, now)
    for source in sources:
        for holding in source.holdings:
            if holding.arn not in adopted:
                continue
            tags = tags_of(holding.marks)
            text = f"{holding.identifier} comes under {holding.marks.policy}; no data moves"
            step = tag_snapshot(
                source, holding, Reason(StepReason.ADOPTED.value, text), "adopt", add=tags
            )
            proof = holding.marks.adopted or ""
            yield replace(
                step,
                preconditions=(
                    Precondition(Check.SNAPSHOT_STATUS, holding.arn, "available"),
                    Precondition(Check.ADOPTABLE, holding.arn, proof),
                    Precondition(Check.ROOM_FOR_TAGS, holding.arn, str(len(tags))),
                ),
            )


def _warnings(
    left: Iterable[tuple[Snapshot, Left]], adopted: Mapping[str, Adoption], wanted: Wanted
) -> Iterator[Warned]:
    groups: dict[tuple[Location, Left], list[str]] = defaultdict(list)
    for snapshot, why in left:
        groups[snapshot.location, why].append(snapshot.identifier)
    for (location, why), names in groups.items():
        more = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
        text = f"left as they are in {location}: {', '.join(sorted(names)[:NAMES])}{more}: "
        yield Warned(LEFT, "warning", text + why.text, policy=wanted.policy, fix=why.fix)
    if not adopted and not groups:
        text = f"nothing that the engine does not own yet fits {wanted.text}"
        fix = "addresses are ACCOUNT/REGION/IDENTIFIER, with the account's name or id"
        yield Warned(LEFT, "warning", text, policy=wanted.policy, fix=fix)


def _afterwards(
    documents: Documents, tagged: Inventory, now: datetime, adopted: Mapping[str, Adoption]
) -> Iterator[Afterwards]:
    if not adopted:
        return
    following = make_plan(documents, tagged, now, PlanOptions())
    deletes = {step.arn: step for step in following.steps if step.action is Action.DELETE}
    kept = {one.arn: one.reasons for one in following.kept}
    _, sources = survey(documents, tagged, now)
    for source in sources:
        for holding in source.holdings:
            if holding.arn not in adopted:
                continue
            step = deletes.get(holding.arn)
            fate = Fate.KEPT
            if step is not None:
                fate = Fate.DELETABLE if step.withheld_by is None else Fate.WITHHELD
            yield Afterwards(
                arn=holding.arn,
                location=At(holding.location.account, holding.location.region),
                source=source.ref,
                slot=holding.slot,
                fate=fate,
                reasons=kept.get(holding.arn, ()),
                text=step.reason.text if step is not None else "",
            )
