"""Mutants of what turns a delete into a keep (promises 1 to 4)."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, mutants_of

PROTECTION = (
    "planning/test_protection.py planning/test_under_fire.py planning/test_policy_shares.py "
    "planning/test_one_off.py planning/test_topology.py"
)
CHAINS = "planning/test_chain_bases.py planning/test_protection.py planning/test_bridges.py"

MUTANTS: tuple[Mutant, ...] = (
    *mutants_of(
        "engine/planning/protecting.py",
        PROTECTION,
        [
            (
                "pinned",
                "a pin keeps a point",
                "    if pin is not None:\n        text",
                "    if False:\n        text",
            ),
            (
                "held",
                "a hold keeps everything",
                "    if hold is not None:\n        verdict.protect(KeepReason.HELD",
                "    if False:\n        verdict.protect(KeepReason.HELD",
            ),
            (
                "incomplete-own-place",
                "what lies in a place that was not read stays",
                "needed = {holding.location, around.draft.source.location}",
                "needed = {around.draft.source.location}",
            ),
            (
                "incomplete-targets",
                "what an unread target may be copying stays",
                "    needed |= _targets_that_matter(holding, around)",
                "    needed |= set()",
            ),
            (
                "incomplete-shared",
                "what an unread account it is shared with may be copying stays",
                "        needed |= set(world.locations_of(account))",
                "        needed |= set()",
            ),
            (
                "incomplete-while-there-is-room",
                "what an unread target may want stays while there is room",
                "    if not world.is_tight(home):\n        return wishing",
                "    if False:\n        return wishing",
            ),
            (
                "incomplete-ends-when-room-is-short",
                "a dead target does not fill the quota of the source",
                "    if not world.is_tight(home):\n        return wishing",
                "    if True:\n        return wishing",
            ),
            (
                "incomplete-for-a-week",
                "what a sister region may be copying stays for a week",
                "    return set() if holding.made_at <= world.now - LONGEST_COPY else copying",
                "    return set()",
            ),
            (
                "shared-out-of-sight",
                "what a stranger may be copying stays",
                "        if around.world.locations_of(account):\n            _await",
                "        if True:\n            _await",
            ),
            (
                "after-its-unshare",
                "a delete waits for the unshare",
                "        verdict.release([unshare], [])",
                "        verdict.release([], [])",
            ),
            (
                "unshared-lately",
                "what an account outside the estate could read a while ago stays for two days",
                "    if marks.unshared_at is not None and now < marks.unshared_at + OUT_OF_SIGHT:",
                "    if False:",
            ),
            (
                "promised",
                "a one-off point stays until the time that was promised",
                "    if until is not None and holding.is_point:",
                "    if False:",
            ),
            (
                "in-flight-origin",
                "the origin of a copy in flight stays",
                "    if reader is not None:",
                "    if False:",
            ),
            (
                "in-flight-origin-of-strangers",
                "the origin of somebody else's copy in flight stays",
                "    return around.world.foreign_readers.get(holding.arn) if own is None"
                " else own.identifier",
                "    return None if own is None else own.identifier",
            ),
            (
                "in-flight-base",
                "the base of what is being made stays",
                "    if links.coming is not None and verdict.holding.arn in links.bases:",
                "    if False:",
            ),
            (
                "in-flight-planned-reader",
                "a delete waits for planned copies of its victim",
                "    verdict.release(around.reads.get(holding.arn, ()), ())",
                "    verdict.release((), ())",
            ),
            (
                "not-copied-yet",
                "what a target wants and has not stays",
                "        if not reads or holding.slot not in demand.missing:\n            continue",
                "        if True:\n            continue",
            ),
            (
                "not-copied-yet-at-a-hub",
                "what a hub hands on stays until its targets have it",
                "or demand.route.hub == holding.location",
                "or False",
            ),
            (
                "incomplete-targets-of-a-hub",
                "what an unread target may be copying from a hub stays",
                "    return terms is not None and terms.snapshots.topology is not Topology.STAR",
                "    return False",
            ),
            (
                "not-copied-yet-ends",
                "it ends when room falls below one point per source",
                "or around.world.is_tight(holding.location):\n        return",
                "or False:\n        return",
            ),
            (
                "not-copied-yet-waits-for-its-copy",
                "a point goes only after the copy that this plan sends",
                "            verdict.release([demand.sent[holding.slot]], [])",
                "            verdict.release([], [])",
            ),
            (
                "newest-at-location",
                "the newest available point stays",
                "        if verdict.holding is not newest:\n            continue",
                "        if True:\n            continue",
            ),
            (
                "newest-needs-a-newer-one",
                "only a newer point takes the place of the newest",
                "        coming = [p for p in _coming_points(around, location)"
                " if p.slot > newest.slot]",
                "        coming = _coming_points(around, location)",
            ),
            (
                "min-points",
                "at least min_points stay",
                "    lacking = least - len(",
                "    lacking = 0 - len(",
            ),
            (
                "min-points-wait-for-new-ones",
                "a delete that counts on a new point waits for it",
                "    needs_new = len({h.slot for h in staying}) < least",
                "    needs_new = False",
            ),
        ],
    ),
    *mutants_of(
        "engine/planning/protecting.py",
        CHAINS,
        [
            (
                "chain-base",
                "a base goes only after its successor is available",
                "        if newest is not None and age(newest) > age(holding):",
                "        if newest is not None:",
            ),
            (
                "chain-base-comes-first",
                "a delete waits for the successor that the plan makes",
                "        verdict.release([coming.step], [_will_follow(coming, around)])\n\n\n"
                "def _coming(",
                "        verdict.release([], [_will_follow(coming, around)])\n\n\ndef _coming(",
            ),
            (
                "chain-base-sure-successor",
                "what is made in an unknown zone releases no base",
                "    sure = (p for p in planned if guessed or p.arn not in around.unsure)",
                "    sure = (p for p in planned)",
            ),
            (
                "chain-base-of-late-deletes",
                "a base that goes late has a successor that is still there then",
                "        if has_chains and verdict.holding.arn in waiting:\n            _outlast",
                "        if False:\n            _outlast",
            ),
            (
                "idle-chains-release",
                "an idle chain needs no base",
                "    return links.idle_from < around.world.now",
                "    return False",
            ),
            (
                "idle-chains-only",
                "a chain in use needs its base",
                "    return links.idle_from < around.world.now",
                "    return True",
            ),
            (
                "idle-not-while-something-comes",
                "a chain that something joins is not idle",
                "    if chain in around.planned or links.coming is not None:",
                "    if False:",
            ),
        ],
    ),
    *mutants_of(
        "engine/planning/bases.py",
        CHAINS,
        [
            (
                "base-by-data",
                "the newest by data is a base",
                "AGES: tuple[Age, ...] = (captured, made)",
                "AGES: tuple[Age, ...] = (made,)",
            ),
            (
                "base-by-making",
                "the newest by when it was made is a base",
                "AGES: tuple[Age, ...] = (captured, made)",
                "AGES: tuple[Age, ...] = (captured,)",
            ),
            (
                "base-unconfirmed-zone",
                "an object of an unconfirmed zone releases no base",
                "    trusted = [h for h in available if is_sure(h) or may_guess]",
                "    trusted = available",
            ),
            (
                "base-guessed-only-when-room-is-short",
                "an unknown zone releases a base only where room is short",
                "    return not chain.is_known and world.is_tight(chain.location)",
                "    return not chain.is_known",
            ),
            (
                "base-idle-after-of-every-policy",
                "the longest idle_after of all policies with a say holds",
                "    return max((one.idle_after for one in terms), default=",
                "    return min((one.idle_after for one in terms), default=",
            ),
        ],
    ),
    *mutants_of(
        "engine/planning/holds.py",
        PROTECTION,
        [
            (
                "held-by-its-maker",
                "the hold of the policy that made a point keeps it",
                "        yield maker, world.matcher.terms(maker, source.instance)",
                "        yield from ()",
            ),
        ],
    ),
)
