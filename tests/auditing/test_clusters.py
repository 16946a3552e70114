"""Controls and objectives are about DB clusters too, where policies protect any."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from engine.auditing.audit import audit
from engine.documents.control_model import Covered, NewestPoint
from engine.documents.objective_model import Disturbance, Disturbed, Objectives
from engine.plans.codes import ControlStatus, ObjectiveStatus
from tests.auditing.scene import a_control, with_controls
from tests.planning.builders import NOW, PROD, a_cluster, an_instance, documents, terms
from tests.planning.test_clusters import LEDGER, clusters, exists, points

DAY = timedelta(days=1)
LONELY = a_cluster("lonely", tags={})
MEMBER = an_instance("lonely-1", cluster="lonely", engine="aurora-postgresql", tags={})


def told(rule: Covered | NewestPoint) -> dict[str, ControlStatus]:
    docs = with_controls(a_control(rule), docs=documents(clusters()))
    found = audit(docs, exists([LEDGER, LONELY], points([0]), instances=[MEMBER]), NOW)
    (control,) = found.controls
    return {one.source.identifier: one.status for one in control.rulings if one.source}


def test_a_cluster_that_no_policy_takes_is_not_covered_and_its_members_are_no_matter() -> None:
    assert told(Covered()) == {"ledger": ControlStatus.PASSED, "lonely": ControlStatus.BROKEN}


def test_how_old_the_newest_point_is_is_judged_for_clusters() -> None:
    assert told(NewestPoint(DAY))["ledger"] is ControlStatus.PASSED


def test_clusters_that_were_not_read_are_not_judged_and_the_audit_is_not_complete() -> None:
    docs = with_controls(a_control(Covered()), docs=documents(clusters()))
    found = audit(docs, exists([], unread=[PROD]), NOW)
    (control,) = found.controls
    assert control.status is ControlStatus.NOT_JUDGED
    assert not found.complete


def test_objectives_hold_for_clusters() -> None:
    said = replace(terms(), objectives=Objectives(rpo=DAY))
    found = audit(documents(clusters(terms=said)), exists(snapshots=points([0])), NOW)
    assert [one.objective.source.identifier for one in found.objectives] == ["ledger"]


def test_disturbances_of_clusters_are_not_played_and_that_is_told() -> None:
    asked = Objectives(DAY, None, (Disturbance(Disturbed.MISSED_RUNS, DAY),))
    docs = documents(clusters(terms=replace(terms(), objectives=asked)))
    (one,) = audit(docs, exists(snapshots=points([0])), NOW, days=4).survivals
    assert one.survival.status is ObjectiveStatus.UNKNOWN
    assert one.survival.text == "disturbances of DB clusters are not played"
