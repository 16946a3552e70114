"""Objects that the engine made and no longer owns, because somebody changed their tags."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from engine.identity.marks import PREFIX, SOURCE
from engine.identity.proofs import Stray
from engine.planning.draft import Draft, at
from engine.planning.survey import World
from engine.plans.codes import DriftCode, DriftSeverity
from engine.plans.plan import Drift, SourceRef

_FIX = (
    "put the tags back as a copy of the same point bears them (engine:role, engine:origin and "
    "engine:keys differ), or delete it by hand"
)


def sources_by_resource(drafts: Iterable[Draft]) -> dict[str, SourceRef]:
    """Return the database behind each DbiResourceId, those that it succeeded included."""
    found: dict[str, SourceRef] = {}
    for draft in drafts:
        ref = draft.source.ref
        found.update({h.marks.resource: ref for h in draft.source.holdings})
        found[ref.resource_id] = ref
    return found


def stray_drift(
    world: World, sources: Mapping[str, SourceRef], *, strangers: bool
) -> Iterator[Drift]:
    """Yield what lost its tags; `strangers` asks for objects of databases not in `sources` too."""
    for stray in world.strays:
        source = sources.get(stray.proof.resource)
        if source is not None or strangers:
            yield _drift(stray, source, world.estate.name)


def _drift(stray: Stray, source: SourceRef | None, estate: str) -> Drift:
    tags = stray.snapshot.tags
    made = stray.proof.tags(estate)
    missing, changed = stray.missing, stray.changed(estate)
    if not missing and not changed:
        changed = {SOURCE: "the ARN of the database"}
    named = sorted({*changed, *(key for key in missing if key in made)})
    return Drift(
        code=DriftCode.RETAGGED if changed else DriftCode.UNTAGGED,
        severity=DriftSeverity.ERROR,
        arn=stray.snapshot.arn,
        location=at(stray.snapshot.location),
        source=source,
        slot=stray.proof.slot,
        text=(
            f"its id proves that the engine made it, but {_what(tags, missing, changed)}: it is "
            "taken for somebody else's, so it counts for no rule and nothing copies or removes it"
        ),
        fix=_FIX,
        expected=_listed({key: made.get(key, changed.get(key, "")) for key in named}),
        found=_listed({key: tags[key] for key in named if key in tags}),
    )


def _what(tags: Mapping[str, str], missing: tuple[str, ...], changed: Mapping[str, str]) -> str:
    parts = []
    if missing and not any(key.startswith(PREFIX) for key in tags):
        parts.append("all its engine: tags are gone")
    elif missing:
        parts.append(f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} gone")
    if changed:
        were = "was" if len(changed) == 1 else "were"
        parts.append(f"{', '.join(sorted(changed))} {were} changed")
    return " and ".join(parts)


def _listed(tags: Mapping[str, str]) -> str | None:
    return ", ".join(f"{key}={value}" for key, value in sorted(tags.items())) or None
