"""A saved plan that was changed by whatever hand is refused, at any place, before any call."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.cli.main import main
from engine.errors import EngineError, StaleError
from engine.inventory import live
from engine.plans.digest import plan_digest
from engine.plans.json_form import dumps, loads
from engine.plans.plan import Plan, Step
from tests.plans.samples import guarded, recorded, small, thin_path

Document = dict[str, Any]
Way = tuple[str | int, ...]


def ways(value: Any, way: Way = ()) -> Iterator[Way]:
    """Every place in a document, itself left out."""
    keys: Any = value if isinstance(value, dict) else ()
    for key in range(len(value)) if isinstance(value, list) else keys:
        part = value[key]
        yield (*way, key)
        yield from ways(part, (*way, key))


def mutations(value: Any) -> Iterator[Any]:
    """Other values of the same kind, and some of another."""
    match value:
        case bool():
            yield not value
        case int():
            yield from (value + 1, -value - 1, 2**63, 2**200, 1e300)
        case str():
            yield from (value + "x", value[1:], "", value.upper() + "\N{CYRILLIC SMALL LETTER A}")
            if value.endswith("Z") and value[:4].isdecimal():
                yield f"9{value[1:]}"
        case None:
            yield from ("max_deletes", 0)
        case list():
            yield from ([*value, *value[:1]] if value else [[]], value[1:] if value else [1])
            yield value[::-1] if value != value[::-1] else [value]
        case dict():
            yield value | {"more": 1}
            yield {}
    if value is not None:
        yield None


def changed(document: Document, way: Way, value: Any) -> Document:
    whole = copy.deepcopy(document)
    *before, last = way
    part: Any = whole
    for key in before:
        part = part[key]
    part[last] = value
    return whole


def redigested(document: Document) -> Document:
    """What somebody makes of a changed plan who knows how digests are computed."""
    try:
        steps = msgspec.convert(document.get("steps"), tuple[Step, ...])
        return document | {"digest": plan_digest(steps)}
    except (msgspec.ValidationError, OverflowError):
        return document


def refused(document: Document) -> EngineError:
    with pytest.raises(EngineError) as caught:
        loads(json.dumps(document).encode(), "p.json")
    assert caught.value.exit_code in {1, 5}
    assert caught.value.where
    assert caught.value.fix
    return caught.value


def everything() -> Plan:
    """A plan with little of everything."""
    more, held = small(), guarded()
    return replace(
        thin_path(),
        waiting=more.waiting,
        unprotected=more.unprotected[:1],
        unmanaged=more.unmanaged[:1],
        conflicts=more.conflicts,
        warnings=more.warnings[:1],
        guards=held.guards[1:3],
        findings=held.findings,
        only=recorded().only,
    )


@pytest.mark.parametrize("forge", [dict, redigested], ids=["as-is", "forged"])
def test_no_value_of_a_plan_can_be_another(
    forge: Callable[[Document], Document],
) -> None:
    whole = json.loads(dumps(everything()))
    tried = 0
    for way in ways(whole):
        if way == ("digest",) and forge is redigested:
            continue
        value: Any = whole
        for key in way:
            value = value[key]
        for other in mutations(value):
            if other != value:
                refused(forge(changed(whole, way, other)))
                tried += 1
    assert tried > 500


def test_no_key_of_a_plan_can_be_missing() -> None:
    whole = json.loads(dumps(everything()))
    for way in ways(whole):
        *before, last = way
        less = copy.deepcopy(whole)
        part: Any = less
        for key in before:
            part = part[key]
        del part[last]
        refused(less if way == ("digest",) else redigested(less))


def cleared(document: Document) -> None:
    for step in document["steps"]:
        step["withheld_by"] = None


def reordered(document: Document) -> None:
    document["steps"].reverse()


def acknowledged(document: Document) -> None:
    for guard in document["guards"]:
        guard["acknowledged"] = True


def said_by_another(document: Document) -> None:
    for guard in document["guards"]:
        guard["acknowledge"] = "0123456789abcdef"


def widened(document: Document) -> None:
    document["guards"][2]["withholds"] = document["guards"][3]["withholds"]


def renewed(document: Document) -> None:
    document["expires_at"] = "2999-01-01T00:00:00Z"


def live_again(document: Document) -> None:
    document["inventory"]["recorded"] = True


def blinder(document: Document) -> None:
    document["inventory"]["scopes"].pop()


def of_other_documents(document: Document) -> None:
    document["policies_digest"] = "sha256:" + "0" * 64


def without_a_step(document: Document) -> None:
    document["steps"].pop()


def harmless(document: Document) -> None:
    document["steps"][-1]["reason"]["text"] = "nothing to see here"


def unforecast(document: Document) -> None:
    for step in document["steps"]:
        step["forecast"] = None


def without_findings(document: Document) -> None:
    document.update(findings=[], errored=False)


TRICKS = (
    cleared, reordered, acknowledged, said_by_another, widened, renewed, live_again, blinder,
    of_other_documents, without_a_step, harmless, unforecast, without_findings,
)  # fmt: skip


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.__name__)
def test_apply_refuses_a_tampered_plan_before_any_call(
    trick: Callable[[Document], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def no_call(*_: object) -> None:
        raise AssertionError("a tampered plan came as far as a client")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(live, "clients_of", no_call)
    document = json.loads(dumps(guarded()))
    trick(document)
    Path("plan.bin").write_text(json.dumps(redigested(document)))
    assert main(["apply", "plan.bin", "-auto-approve", "-local-lock"]) == 5
    told = capsys.readouterr().err
    assert "plan.bin: the plan is not as it was written" in told
    assert "make the plan anew" in told
    assert main(["show", "plan.bin"]) == 5
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", told)


def test_a_plan_that_was_not_changed_comes_as_far_as_a_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class CameThereError(Exception):
        """It did."""

    def reached(*_: object) -> None:
        raise CameThereError

    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "all.yaml").write_text(
        'version: 1\nkind: estate\nname: acme\naccounts: {a: {id: "111111111111", '
        "regions: [eu-west-1]}}\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(live, "clients_of", reached)
    Path("plan.bin").write_bytes(dumps(guarded()))
    with pytest.raises(CameThereError):
        main(["apply", "plan.bin", "-auto-approve", "-local-lock"])


def test_a_key_that_stands_twice_says_nothing_that_is_not_sealed() -> None:
    text = dumps(thin_path()).decode().rstrip().removesuffix("}")
    with pytest.raises(StaleError, match="not as it was written"):
        loads(f'{text}, "expires_at": "2999-01-01T00:00:00Z"}}'.encode(), "p.json")


def test_white_space_does_not_break_the_seal() -> None:
    text = json.dumps(json.loads(dumps(small())), indent=7, ensure_ascii=False)
    assert loads(f"\n{text}\n\n".encode(), "p.json") == small()


def test_keys_in_another_order_break_the_seal() -> None:
    document = json.loads(dumps(small()))
    assert "not as it was written" in refused({"steps": document.pop("steps")} | document).what


def test_a_plan_without_a_seal_is_refused() -> None:
    document = json.loads(dumps(small()))
    del document["seal"]
    assert "its seal is broken or missing" in refused(document).what


def test_what_a_newer_engine_wrote_beside_is_sealed_too() -> None:
    document = json.loads(dumps(small())) | {"format_version": "1.0", "added": {"later": 1}}
    assert "not as it was written" in refused(document).what
