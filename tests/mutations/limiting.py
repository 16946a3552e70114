"""Mutants of the guards, the quota and what is held back with what (promise 8)."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, mutants_of

MUTANTS: tuple[Mutant, ...] = (
    *mutants_of(
        "engine/planning/guards.py",
        "planning/test_guards.py planning/test_acknowledgement.py",
        [
            (
                "policy-conflict",
                "nothing of a database that two policies match is deleted",
                "        steps.withhold(deletes, Guard.POLICY_CONFLICT)",
                "        steps.withhold([], Guard.POLICY_CONFLICT)",
            ),
            (
                "policy-conflict-of-data-only",
                "a conflict does not keep what failed from being made again",
                "    return step.action is Action.DELETE and step.reason.code"
                " != StepReason.FAILED_OBJECT",
                "    return step.action is Action.DELETE",
            ),
            (
                "max-deletes-of-a-place",
                "deletes beyond the limit of a place are withheld",
                "    over = [place for place in places if _is_over(",
                "    over = [place for place in places if not places and _is_over(",
            ),
            (
                "max-deletes-of-the-estate",
                "deletes beyond the limit of the estate are withheld",
                "    if _is_over(excess, everything, world):",
                "    if False:",
            ),
            (
                "max-deletes-in-excess-only",
                "the deletes that new points bring are no excess",
                "        return max(0, len(self.deletes) - self.fresh)",
                "        return len(self.deletes)",
            ),
            (
                "max-deletes-percent",
                "the percentage limits deletes too",
                "    return excess > limit.count or over_percent",
                "    return excess > limit.count",
            ),
            (
                "max-deletes-count",
                "the count limits deletes",
                "    return excess > limit.count or over_percent",
                "    return over_percent",
            ),
            (
                "max-deletes-planned-are-fresh",
                "planned points allow deletes",
                "    return len(found | planned)",
                "    return len(found)",
            ),
            (
                "acknowledged-goes",
                "what was acknowledged goes",
                "    if digest not in accepted:",
                "    if True:",
            ),
            (
                "unacknowledged-stays",
                "what was not acknowledged is withheld",
                "    if digest not in accepted:",
                "    if False:",
            ),
            (
                "incremental-required",
                "copies in full are withheld where increments are required",
                '    if full:\n        text = "copies that',
                '    if False:\n        text = "copies that',
            ),
            (
                "incremental-required-not-the-first",
                "the first copy at a location is never withheld",
                "        if not one.is_first and not one.breaks_rpo(world)\n    ]",
                "        if not one.breaks_rpo(world)\n    ]",
            ),
            (
                "incremental-required-not-beyond-the-rpo",
                "a copy whose absence breaks its RPO is never withheld",
                "        if not one.is_first and not one.breaks_rpo(world)\n    ]",
                "        if not one.is_first\n    ]",
            ),
            (
                "incremental-required-copies-only",
                "a primary or a bridge is never withheld for being full",
                "            if planned.marks.role is not Role.COPY or steps.is_withheld(step.id):",
                "            if steps.is_withheld(step.id):",
            ),
            (
                "full-copies",
                "full copies beyond the budget are withheld",
                "        if fits_count and fits_gib:",
                "        if True:",
            ),
            (
                "full-copies-not-beyond-the-rpo",
                "a copy whose absence breaks its RPO needs no budget",
                "    full = [one for one in _full(drafts, steps) if not one.breaks_rpo(world)]",
                "    full = list(_full(drafts, steps))",
            ),
        ],
    ),
    *mutants_of(
        "engine/planning/room.py",
        "planning/test_quota.py planning/test_under_fire.py planning/test_promise_8.py",
        [
            (
                "quota",
                "what does not fit is withheld",
                "    steps.withhold(refused, Guard.QUOTA)",
                "    steps.withhold((), Guard.QUOTA)",
            ),
            (
                "quota-oldest-first",
                "whose newest point is oldest gets the room first",
                "    return (stage, newest[step.source, step.location], step.id)",
                "    return (stage, NEVER, step.id)",
            ),
            (
                "quota-new-points-first",
                "new points come before copies and bridges",
                "    stage = 0 if makes_primary(step) else 1 + is_bridge(step)",
                "    stage = 0",
            ),
            (
                "quota-safe-deletes-only",
                "only a delete that is safe without the new point makes room for it",
                "    return step.action is Action.DELETE and not waits",
                "    return step.action is Action.DELETE",
            ),
            (
                "quota-waits-for-the-delete",
                "what is made beyond the room waits for the delete",
                "        steps.depend(step.id, place.freed.pop(0))",
                "        place.freed.pop(0)",
            ),
            (
                "quota-despite-max-deletes",
                "a limit to deletes does not stop new points",
                "        elif steps.is_withheld_by(step.id, Guard.MAX_DELETES):",
                "        elif False:",
            ),
            (
                "quota-despite-max-deletes-only",
                "what other guards withhold makes no room",
                "        elif steps.is_withheld_by(step.id, Guard.MAX_DELETES):",
                "        else:",
            ),
        ],
    ),
    *mutants_of(
        "engine/planning/withholding.py",
        "planning/test_guards.py planning/test_quota.py planning/test_promise_8.py",
        [
            (
                "withheld-with-dependents",
                "what depends on a withheld step is withheld",
                "            ahead.extend((behind, name) for behind in self._needing(name))",
                "            ahead.extend(())",
            ),
            (
                "withheld-with-what-only-served",
                "what only served withheld copies is withheld",
                "            ahead.extend((served, name) for served in before"
                " if self._serves_nothing(served))",
                "            ahead.extend(())",
            ),
        ],
    ),
    *mutants_of(
        "engine/planning/plan.py",
        "planning/test_promise_8.py planning/test_verified_plan.py",
        [
            (
                "verifier-withholds",
                "what the verifier finds is withheld",
                "    steps.withhold(names, Guard.VERIFIER)",
                "    steps.withhold((), Guard.VERIFIER)",
            ),
            (
                "verifier-is-an-error",
                "what the verifier finds is an error",
                "        errored=bool(findings),",
                "        errored=False,",
            ),
            (
                "verifier-is-asked",
                "every plan is verified",
                "    findings = verify(steps.result(), documents, inventory, now)",
                "    findings: tuple[Finding, ...] = ()",
            ),
        ],
    ),
    *mutants_of(
        "engine/planning/failing_back.py",
        "planning/test_failing_back.py",
        [
            (
                "failback-acknowledged",
                "nothing is failed over unless somebody acknowledged it",
                "        steps.withhold([step.id], Guard.FAIL_BACK)",
                "        pass",
            ),
            (
                "failback-point-first",
                "a point that is due is made before its database is failed over",
                "    if any(makes_primary(step) for step in draft.steps.values()):",
                "    if False:",
            ),
            (
                "failback-pending",
                "what somebody left pending is not applied by a failover",
                "    if instance.pending:",
                "    if False:",
            ),
            (
                "failback-being-made",
                "nothing is failed over while a snapshot is being made of it",
                "snapshot.state in _MAKING:",
                "False:",
            ),
            (
                "failback-quiet",
                "nothing is failed over within the quiet time of its last failover",
                "    elif told is not None and world.now - told.at < quiet:",
                "    elif False:",
            ),
            (
                "failback-undated",
                "nothing is failed over of which nothing tells when it last was",
                "    elif since is None:\n        yield",
                "    elif since is None:\n        return\n        yield",
            ),
        ],
    ),
    *mutants_of(
        "engine/plans/troubles.py",
        "plans/test_troubles.py",
        [
            (
                "troubles-of-conflicts",
                "a conflict reaches the exit code",
                "    TroubleKind.CONFLICT: ExitCode.OBJECTIVE_BROKEN,",
                "    TroubleKind.CONFLICT: ExitCode.OK,",
            ),
            (
                "troubles-of-routes",
                "a copy that no route leads to reaches the exit code",
                "        if waits.code == Waiting.NO_ROUTE and waits.text not in told:",
                "        if False:",
            ),
        ],
    ),
)
