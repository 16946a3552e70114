"""What the documentation shows is done: every command runs, every document validates."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.lab.estates import small
from engine.lab.process import LabProcess
from tests.end_to_end.harness import (
    REPOSITORY,
    Finished,
    World,
    clean_environment,
    run_program,
)

PAGES = (REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md")))
DOCUMENTS = sorted(
    path
    for folder in ("policies", "docs", "tests/end_to_end/thin")
    for path in (REPOSITORY / folder).rglob("*.y*ml")
)
RECORDING = REPOSITORY / "tests" / "recordings" / "acme"
IN_THE_WINDOW = datetime(2026, 11, 21, 2, 10, tzinfo=UTC)


def blocks(page: Path, language: str) -> list[str]:
    """Return the contents of a page's fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[list[str]]:
    """Return the words of every command that a page's console blocks show, without comments."""
    lines = (line for block in blocks(page, "console") for line in block.splitlines())
    return [shlex.split(line[2:], comments=True) for line in lines if line.startswith("$ ")]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What somebody has who follows the pages: the example repository and the recording."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copytree(REPOSITORY / "policies", folder / "policies")
    shutil.copytree(RECORDING, folder / "tests" / "recordings" / "acme")
    shutil.copytree(REPOSITORY / "docs" / "examples", folder / "docs" / "examples")
    return folder


@pytest.fixture(scope="module")
def world(checkout: Path) -> Iterator[World]:
    with LabProcess.start(small(), speed=20.0, at=IN_THE_WINDOW) as lab:
        yield World(lab, checkout, is_installed=True)
        # A page starts a lab of its own, which outlives a test that ends in the middle of it.
        offline(checkout, "lab", "down")


def offline(folder: Path, *words: str) -> Finished:
    """Run `engine` where nothing but a recording could tell it what exists."""
    return run_program("engine", words, folder, clean_environment(folder))


def test_every_command_of_the_pages_does_what_it_says(world: World) -> None:
    shown = [words for page in PAGES for words in commands(page) if words[0] == "engine"]
    for _, name, *rest in shown:
        # The clock of the lab stands for that of AWS; a recording has its own.
        timed = (
            name in {"plan", "apply", "adopt", "snapshot", "pin", "unpin"}
            and "-inventory" not in rest
        )
        done = world.run(name, *rest, **({"ENGINE_AT": world.now()} if timed else {}))
        assert done.code == 0, f"$ engine {shlex.join([name, *rest])}\n{done.out}{done.err}"
    assert {name for _, name, *_ in shown} >= {"init", "validate", "plan", "apply", "show", "lab"}
    assert {one.role for one in world.owned().values()} == {"primary"}


def test_the_pages_show_commands_and_make_only_what_is_there() -> None:
    shown = [words for page in PAGES for words in commands(page)]
    assert {words[0] for words in shown} == {"engine", "make"}
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    assert {words[1] for words in shown if words[0] == "make"} <= targets


def test_every_command_that_a_page_names_exists(checkout: Path) -> None:
    listing = offline(checkout, "--help").insist().out
    known = set(re.findall(r"^  ([a-z][a-z-]*) {2,}", listing, re.MULTILINE))
    assert {"plan", "apply", "lab"} <= known
    named = {
        word
        for page in PAGES
        for word in re.findall(r"`(?:\$ )?engine ([a-z][a-z-]*)", page.read_text())
    }
    assert named <= known


def test_every_link_of_a_page_leads_somewhere() -> None:
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_yaml_block_of_a_page_validates(page: Path, tmp_path: Path) -> None:
    found = blocks(page, "yaml")
    for number, block in enumerate(found):
        (tmp_path / f"{number}.yaml").write_text(block)
    if found:
        offline(tmp_path, "validate", str(tmp_path)).insist()


def test_every_document_validates_without_a_warning(checkout: Path) -> None:
    assert {path.name for path in DOCUMENTS} >= {"estate.yaml", "gold.yaml", "thin.yaml"}
    for folder in {path.parent for path in DOCUMENTS}:
        offline(checkout, "validate", "-strict", str(folder)).insist()


def test_the_starter_repository_validates_without_a_warning(tmp_path: Path) -> None:
    offline(tmp_path, "init", "backups").insist()
    offline(tmp_path, "validate", "-strict", "backups").insist()


def test_the_plan_of_the_recording_reads_like_this(
    checkout: Path, golden: Callable[[str, str], None]
) -> None:
    done = offline(checkout, "plan", "-inventory", "tests/recordings/acme").insist()
    assert done.err == ""
    assert max(len(line) for line in done.out.splitlines()) <= 80
    golden("plan-of-acme.txt", done.out)


def test_the_recording_shows_what_a_plan_can_be_about(checkout: Path) -> None:
    words = ("plan", "-inventory", "tests/recordings/acme")
    plan = json.loads(offline(checkout, *words, "-json").insist().out)
    summary = plan["summary"]
    shown = ("create", "copy", "share", "unshare", "delete", "full", "incremental")
    assert all(summary[name] for name in shown), summary
    assert plan["inventory"]["recorded"]
    assert plan["unprotected"]
    assert offline(checkout, *words, "-detailed-exitcode").code == 2
    # A plan of what once was is for reading.
    offline(checkout, *words, "-out", "once.plan").insist()
    offline(checkout, "apply", "once.plan").insist(5)
