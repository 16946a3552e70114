"""One function per action: the step, with the parameters of its call and what must hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from engine.documents.model import Terms
from engine.identity import marks as tag
from engine.identity.chains import Chain
from engine.identity.marks import Marks, Role, accounts_text, shares_text, tags_of, time_text
from engine.inventory.placement import ALL_ZONES
from engine.inventory.records import Instance, Location, Snapshot
from engine.planning.draft import Planned, at
from engine.planning.survey import Holding, Source
from engine.plans.codes import EFFECTS, Action, Check, StepReason
from engine.plans.parameters import names_for
from engine.plans.plan import Precondition, Reason, Step

MAX_TAGS = 50
MAKES = frozenset({Action.CREATE, Action.COPY})
_LATER_TAGS = 4
_LATER_TAGS_SHARED = 6
_FOREIGN_PREFIXES = ("aws:", "rds:", tag.PREFIX)

Origin = Holding | Planned


def passed_on(
    marks: Marks, terms: Terms, inherited: Mapping[str, str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the tags of a new object and the keys of those that did not fit.

    The engine's come first within AWS's 50 tags per resource (RDS User Guide, Tagging), then the
    policy's, then those of the database; reserved prefixes are never passed on.
    """
    tags = tags_of(marks)
    # Checked and shared say later what happened to the object: room for them is kept.
    room = MAX_TAGS - len(tags) - (_LATER_TAGS_SHARED if terms.share_with else _LATER_TAGS)
    wanted = dict(terms.snapshots.tags)
    for key, value in inherited.items():
        if not key.startswith(_FOREIGN_PREFIXES):
            wanted.setdefault(key, value)
    chosen = list(wanted.items())
    tags.update(chosen[:room])
    return tags, tuple(key for key, _ in chosen[room:])


def create_snapshot(
    source: Source,
    body: Instance,
    planned: Planned,
    tags: Mapping[str, str],
    zones: str,
    reason: Reason,
) -> Step:
    """Make the primary of a slot from `body`: the database itself, or a replica of it.

    Of a cluster, whose volume is in all zones, the zones are not asked about.
    """
    names = names_for(planned.arn)
    follows: tuple[Precondition, ...] = ()
    placed: tuple[Precondition, ...] = ()
    if planned.marks.zone != ALL_ZONES:
        placed = (Precondition(Check.ZONES, body.arn, zones),)
    if source.instance is not None and body.resource_id != source.instance.resource_id:
        reason = replace(reason, text=f"{reason.text}; taken of its replica {body.identifier}")
        follows = (Precondition(Check.REPLICA_OF, body.arn, source.instance.identifier),)
    return _step(
        Action.CREATE,
        source,
        planned,
        parameters={
            names.database: body.identifier,
            names.snapshot: planned.identifier,
            "Tags": dict(tags),
        },
        reason=reason,
        preconditions=(
            Precondition(Check.INSTANCE, body.arn, body.resource_id),
            *placed,
            Precondition(Check.ABSENT, planned.arn, planned.identifier[-8:]),
            *follows,
        ),
    )


def seed_snapshot(
    source: Source,
    automated: Snapshot,
    planned: Planned,
    tags: Mapping[str, str],
    reason: Reason,
) -> Step:
    """Make the primary of a slot from an automated snapshot, under the key that this has.

    Without a key a copy in the same account and region is under its origin's (API reference,
    CopyDBSnapshot).
    """
    return _step(
        Action.COPY,
        source,
        planned,
        parameters={
            "SourceDBSnapshotIdentifier": automated.arn,
            "TargetDBSnapshotIdentifier": planned.identifier,
            "Tags": dict(tags),
        },
        reason=replace(reason, text=f"{reason.text}; copied from {automated.identifier}"),
        preconditions=(
            Precondition(Check.AUTOMATED_SNAPSHOT, automated.arn, automated.resource_id),
            Precondition(Check.ABSENT, planned.arn, planned.identifier[-8:]),
        ),
    )


def makes_primary(step: Step) -> bool:
    """Say whether a step makes the primary of a slot."""
    made = step.parameters.get("Tags", {}) if step.action in MAKES else {}
    return made.get(tag.ROLE) == Role.PRIMARY


def copy_snapshot(
    source: Source,
    origin: Origin,
    planned: Planned,
    tags: Mapping[str, str],
    key: str,
    reason: Reason,
    handed_on: Sequence[str],
) -> Step:
    """Copy an object to where `planned` says, under `key`.

    `handed_on` are the tags that it takes from its origin as that is when it is copied.
    """
    names = names_for(planned.arn)
    parameters: dict[str, Any] = {
        names.origin: origin.arn,
        names.target: planned.identifier,
        "Tags": dict(tags),
        "TagsFromOrigin": list(handed_on),
        "KmsKeyId": key,
    }
    return _step(
        Action.COPY,
        source,
        planned,
        parameters=parameters,
        reason=reason,
        preconditions=(
            Precondition(Check.SNAPSHOT_STATUS, origin.arn, "available"),
            Precondition(Check.OWNED, origin.arn, origin.identifier[-8:]),
            Precondition(Check.ABSENT, planned.arn, planned.identifier[-8:]),
        ),
    )


def into_option_group(copy: Step, option_group: str) -> Step:
    """Return a copy that is put into an option group of its account and region."""
    return replace(copy, parameters={**copy.parameters, "OptionGroupName": option_group})


def share_snapshot(source: Source, origin: Origin, account: str, shared: Iterable[str]) -> Step:
    """Let an account copy an object; `shared` is everyone who may, once this is done."""
    return _step(
        Action.SHARE,
        source,
        origin,
        suffix=account,
        parameters={
            "ValuesToAdd": [account],
            "Tags": {tag.SHARED: accounts_text(shared)},
        },
        reason=Reason(StepReason.ROUTE_NEEDS_SHARE, f"{account} copies it"),
        preconditions=(
            Precondition(Check.SNAPSHOT_STATUS, origin.arn, "available"),
            Precondition(Check.OWNED, origin.arn, origin.identifier[-8:]),
        ),
    )


def give_snapshot(
    source: Source, origin: Origin, accounts: Iterable[str], shared: Iterable[str]
) -> Step:
    """Let all accounts that a policy names read an object, in one call.

    The tags say before the call that it is on its way, and after it that it was made, so that one
    that was cut short is made again.
    """
    named = sorted(accounts)
    return _step(
        Action.SHARE,
        source,
        origin,
        suffix="policy",
        parameters={
            "ValuesToAdd": named,
            "Tags": {
                tag.SHARED: accounts_text(shared),
                tag.SHARED_BY_POLICY: shares_text(
                    {*named, *origin.marks.shared_by_policy}, being_given=True
                ),
            },
            "TagsAfterwards": {
                tag.SHARED_BY_POLICY: shares_text(
                    {*named, *origin.marks.shared_by_policy}, being_given=False
                )
            },
        },
        reason=Reason(StepReason.POLICY_SHARES, "the policy shares its newest points"),
        preconditions=(
            Precondition(Check.SNAPSHOT_STATUS, origin.arn, "available"),
            Precondition(Check.OWNED, origin.arn, origin.identifier[-8:]),
        ),
    )


def unshare_snapshot(
    source: Source,
    origin: Origin,
    account: str,
    rest: Iterable[str],
    given: frozenset[str],
    blind_since: datetime | None,
) -> Step:
    """Take an object back from an account.

    Args:
        source: whose object it is.
        origin: the object.
        account: who may read it no longer.
        rest: everyone who may still read it.
        given: those of them that a policy lets read it.
        blind_since: now, where nobody sees what the account copies, else None.
    """
    by_policy = account in origin.marks.shared_by_policy
    tags = {tag.SHARED: accounts_text(rest)}
    if by_policy:
        tags[tag.SHARED_BY_POLICY] = shares_text(given, being_given=False) if given else ""
    if blind_since is not None:
        tags[tag.UNSHARED] = time_text(blind_since)
    parameters: dict[str, Any] = {"ValuesToRemove": [account]}
    if left := {key: value for key, value in tags.items() if value}:
        parameters["Tags"] = left
    if emptied := [key for key, value in tags.items() if not value]:
        parameters["RemoveTags"] = emptied
    text = "the policy shares it no longer" if by_policy else f"{account} needs it no longer"
    reason = StepReason.POLICY_SHARE_ENDS if by_policy else StepReason.ROUTE_DONE
    return _step(
        Action.UNSHARE,
        source,
        origin,
        suffix=account,
        parameters=parameters,
        reason=Reason(reason, text),
        preconditions=(
            Precondition(Check.OWNED, origin.arn, origin.identifier[-8:]),
            Precondition(Check.NO_COPY_IN_FLIGHT_TO, origin.arn, account),
        ),
    )


def delete_snapshot(
    source: Source,
    victim: Holding,
    reason: Reason,
    depends_on: Iterable[str] = (),
    witnesses: Iterable[Precondition] = (),
) -> Step:
    """Remove an object; `witnesses` say what must be there in its place."""
    return _step(
        Action.DELETE,
        source,
        victim,
        parameters={names_for(victim.arn).snapshot: victim.identifier},
        reason=reason,
        depends_on=tuple(dict.fromkeys(depends_on)),
        preconditions=(
            Precondition(Check.OWNED, victim.arn, victim.identifier[-8:]),
            Precondition(Check.UNPINNED, victim.arn, tag.PIN),
            Precondition(Check.SNAPSHOT_STATUS, victim.arn, victim.snapshot.status),
            Precondition(Check.ORIGIN_OF_NOTHING_IN_FLIGHT, victim.arn, "none"),
            *dict.fromkeys(witnesses),
        ),
    )


def tag_snapshot(
    source: Source,
    holding: Holding,
    reason: Reason,
    change: str,
    *,
    add: Mapping[str, str] | None = None,
    remove: Iterable[str] = (),
) -> Step:
    """Change the engine's own tags on an object; `change` names the change in the step's id."""
    parameters: dict[str, Any] = {}
    if add:
        parameters["Tags"] = dict(add)
    if removed := list(remove):
        parameters["RemoveTags"] = removed
    return _step(
        Action.TAG,
        source,
        holding,
        suffix=change,
        parameters=parameters,
        reason=reason,
        preconditions=(Precondition(Check.OWNED, holding.arn, holding.identifier[-8:]),),
    )


def is_there(arn: str) -> Precondition:
    """Return the precondition that a snapshot is available."""
    return Precondition(Check.SNAPSHOT_STATUS, arn, "available")


def is_in_chain(arn: str, chain: Chain) -> Precondition:
    """Return the precondition that a snapshot is a checked member of a chain."""
    return Precondition(Check.CHAIN, arn, chain.text)


def short(moment: datetime) -> str:
    """Return a time as people read it in reasons."""
    return moment.strftime("%Y-%m-%d %H:%MZ")


_WORDS = {
    Action.CREATE: "create",
    Action.COPY: "copy",
    Action.SHARE: "share",
    Action.UNSHARE: "unshare",
    Action.DELETE: "delete",
    Action.TAG: "tag",
    Action.MODIFY_BACKUPS: "modify-backups",
    Action.REPLICATE_BACKUPS: "replicate-backups",
    Action.STOP_REPLICATION: "stop-replication",
    Action.FAIL_OVER: "fail-over",
}


def step_id(action: Action, location: Location, name: str, suffix: str = "") -> str:
    """Return the id of a step."""
    return f"{_WORDS[action]}:{location}/{name}" + (f"/{suffix}" if suffix else "")


def _step(
    action: Action,
    source: Source,
    subject: Origin,
    *,
    parameters: Mapping[str, Any],
    reason: Reason,
    preconditions: tuple[Precondition, ...],
    depends_on: tuple[str, ...] = (),
    suffix: str = "",
) -> Step:
    name = subject.identifier
    return Step(
        id=step_id(action, subject.location, name, suffix),
        action=action,
        actions=(EFFECTS[action],),
        policy=subject.marks.policy,
        arn=subject.arn,
        source=source.ref,
        slot=subject.slot,
        location=at(subject.location),
        snapshot=name,
        parameters=parameters,
        reason=reason,
        depends_on=depends_on,
        preconditions=preconditions,
    )
