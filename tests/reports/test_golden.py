"""Reports of the sample plans, compared with files that a person has read."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.reports.markdown import plan_as_markdown
from engine.reports.screen import Screen
from engine.reports.text import plan_as_text
from tests.plans.samples import SAMPLES

Golden = Callable[[str, str], None]


@pytest.mark.parametrize("sample", SAMPLES)
def test_text_is_as_reviewed(sample: str, golden: Golden) -> None:
    golden(f"{sample}.txt", plan_as_text(SAMPLES[sample](), Screen()))


@pytest.mark.parametrize("sample", ["thin_path", "small", "long_names", "hostile"])
def test_unfolded_text_is_as_reviewed(sample: str, golden: Golden) -> None:
    golden(f"{sample}.full.txt", plan_as_text(SAMPLES[sample](), Screen(), full=True))


@pytest.mark.parametrize("sample", ["small", "guarded", "incomplete"])
def test_coloured_text_is_as_reviewed(sample: str, golden: Golden) -> None:
    golden(f"{sample}.colour.txt", plan_as_text(SAMPLES[sample](), Screen(colour=True)))


@pytest.mark.parametrize("sample", ["small", "hostile"])
def test_ascii_text_is_as_reviewed(sample: str, golden: Golden) -> None:
    text = plan_as_text(SAMPLES[sample](), Screen(unicode=False))
    assert text.isascii()
    golden(f"{sample}.ascii.txt", text)


@pytest.mark.parametrize("sample", SAMPLES)
def test_markdown_is_as_reviewed(sample: str, golden: Golden) -> None:
    golden(f"{sample}.md", plan_as_markdown(SAMPLES[sample]()))
