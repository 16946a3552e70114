"""Controls and objectives judged against an inventory: an audit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

import engine
from engine.auditing.rulings import Answer, rule_on
from engine.auditing.subjects import Grounds, remembered, subjects, unread_homes
from engine.auditing.surviving import survivals
from engine.documents.control_model import (
    Control,
    Covered,
    CustomerKeys,
    Exemption,
    MinRetention,
    NewestPoint,
    NoForeignShares,
    NoGap,
    PointsIn,
    Rule,
)
from engine.documents.model import Documents, Place
from engine.inventory.records import Inventory, Kind
from engine.planning.draft import at
from engine.planning.drift.shares import shares_read
from engine.planning.objectives import judge_objectives
from engine.planning.parts import inventory_read
from engine.planning.routes import RouteBook
from engine.planning.survey import Source, kinds_of, survey
from engine.plans.audit import (
    AUDIT_FORMAT_VERSION,
    AuditFound,
    ControlFound,
    ExpiredException,
    ObjectiveFound,
    Ruling,
    SurvivalFound,
    Written,
    summary_of,
)
from engine.plans.codes import ControlLevel, ControlRule, ControlStatus
from engine.plans.plan import PlanOptions

_RULES: dict[type[Rule], ControlRule] = {
    Covered: ControlRule.COVERED,
    MinRetention: ControlRule.MIN_RETENTION,
    PointsIn: ControlRule.POINTS_IN,
    CustomerKeys: ControlRule.CUSTOMER_MANAGED_KEYS,
    NoForeignShares: ControlRule.NO_FOREIGN_SHARES,
    NewestPoint: ControlRule.NEWEST_POINT,
    NoGap: ControlRule.NO_GAP,
}
# What is mended in the policy, where there is one.
_OF_POLICIES = (MinRetention, PointsIn, NewestPoint, NoGap)
_ORDER = list(ControlStatus)


def asks_for_shares(documents: Documents) -> bool:
    """Say whether a control needs to know with whom snapshots are shared."""
    return any(isinstance(control.rule, NoForeignShares) for control in documents.controls)


def audit(
    documents: Documents,
    inventory: Inventory,
    now: datetime,
    asked: Collection[str] = (),
    days: int = 0,
) -> AuditFound:
    """Judge all controls and objectives.

    Args:
        documents: the estate, its policies and its controls.
        inventory: what exists, as far as it could be read.
        now: the one time of the run, in UTC.
        asked: the ARNs of the snapshots about whose shares AWS was asked.
        days: how many days to play for each disturbance that policies are to survive; 0 is none.
    """
    grounds = [_grounds(documents, inventory, now, k) for k in kinds_of(documents, inventory)]
    controls = tuple(_judge(one, grounds) for one in sorted(documents.controls, key=lambda c: c.id))
    policies = documents.policies
    objectives = tuple(
        ObjectiveFound(one, written(policies[one.policy].place))
        for kind in grounds
        for one in judge_objectives(kind.sources, kind.world, kind.book)
    )
    survived = tuple(
        SurvivalFound(one, written(policies[one.policy].place))
        for kind in grounds
        for one in (survivals(kind, days) if days else ())
    )
    read = inventory_read([one.world for one in grounds])
    judged = all(
        ruling.status is not ControlStatus.NOT_JUDGED for c in controls for ruling in c.rulings
    )
    return AuditFound(
        format_version=AUDIT_FORMAT_VERSION,
        engine_version=engine.__version__,
        estate=documents.estate.name,
        as_of=now,
        policies_digest=documents.digest,
        controls_digest=documents.controls_digest,
        inventory=read,
        shares=shares_read(documents, inventory, now, PlanOptions(), asked),
        summary=summary_of(controls, objectives, survived),
        controls=controls,
        objectives=objectives,
        expired=tuple(_expired(documents.controls, now)),
        complete=read.complete and judged,
        survivals=survived,
        days=days,
    )


def _grounds(documents: Documents, inventory: Inventory, now: datetime, kind: Kind) -> Grounds:
    """Return what rules look at of one kind of databases.

    Where clusters are looked at themselves, their members are none.
    """
    world, sources = survey(documents, inventory, now, kind)
    if kind is Kind.INSTANCE and Kind.CLUSTER in documents.kinds:
        sources = tuple(one for one in sources if one.instance is None or not one.instance.cluster)
    return Grounds(world, sources, RouteBook(world.estate, dict(inventory.scopes)))


def written(place: Place | None) -> Written | None:
    """Return a place in the documents as reports name it."""
    return None if place is None else Written(place.file, place.line, place.column)


def _judge(control: Control, grounds: Sequence[Grounds]) -> ControlFound:
    rulings = [
        _ruling(control, source, one) for one in grounds for source in subjects(control, one)
    ]
    rulings += dict.fromkeys(ruling for one in grounds for ruling in _unread(control, one))
    status = max(
        (one.status for one in rulings), key=_ORDER.index, default=ControlStatus.NOT_JUDGED
    )
    return ControlFound(
        id=control.id,
        title=control.title,
        rule=_RULES[type(control.rule)],
        severity=ControlLevel(control.severity),
        status=status,
        written=written(control.place),
        rulings=tuple(rulings),
    )


def _ruling(control: Control, source: Source, grounds: Grounds) -> Ruling:
    answer = rule_on(control.rule, source, grounds)
    if answer.status is ControlStatus.BROKEN:
        answer = _excepted(control, source, grounds, answer)
    place = control.place
    if source.policy is not None and isinstance(control.rule, _OF_POLICIES):
        place = source.policy.place
    return Ruling(answer.status, source.ref, at(source.location), answer.text, written(place))


def _excepted(control: Control, source: Source, grounds: Grounds, broken: Answer) -> Answer:
    """Return a broken rule's answer with what its exceptions say of the database."""
    instance = remembered(source)
    meant = [one for one in control.exemptions if grounds.world.matcher.fits(one.select, instance)]
    for one in meant:
        if not one.is_over(grounds.world.now):
            text = f"{broken.text}; excepted up to {one.expires}: {one.reason}"
            return Answer(ControlStatus.EXCEPTED, text)
    if meant:
        last = max(meant, key=lambda one: one.expires)
        text = f"{broken.text}; its exception expired on {last.expires}: {last.reason}"
        return Answer(broken.status, text)
    return broken


def _unread(control: Control, grounds: Grounds) -> Iterator[Ruling]:
    for location in unread_homes(control, grounds):
        cause = grounds.world.scope(location).cause or "not read"
        text = f"which databases there are is not known: {cause}"
        yield Ruling(ControlStatus.NOT_JUDGED, None, at(location), text, written(control.place))


def _expired(controls: Iterable[Control], now: datetime) -> Iterator[ExpiredException]:
    over = [
        (control.id, one) for control in controls for one in control.exemptions if one.is_over(now)
    ]
    for name, one in sorted(over, key=_by_day):
        yield ExpiredException(name, one.expires.isoformat(), one.reason, written(one.place))


def _by_day(entry: tuple[str, Exemption]) -> tuple[str, str, str]:
    return entry[0], entry[1].expires.isoformat(), entry[1].reason
