"""Plans as Markdown: what a pull request shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from engine.plans.audit import AuditFound
from engine.plans.drift import DriftFound
from engine.plans.plan import Plan
from engine.reports.audit_report import audit_report
from engine.reports.drift_report import drift_report
from engine.reports.layout import laid_out
from engine.reports.lines import Form, Line, Mark, Report, Section, Span, Tone
from engine.reports.neutral import neutral
from engine.reports.plan_report import plan_report
from engine.reports.screen import PLAIN_WIDTH
from engine.reports.wording import count

# A comment on GitHub holds 65,536 characters; the rest is for what others put around the report.
LIMIT = 55_000
# What opens and closes a block and the note where it is cut take less than this.
_FRAME = 500
_HEADLINE = 1_000
_STRONG = frozenset({Tone.STRONG, Tone.PROBLEM, Tone.DELETE, Tone.FULL})

# What CommonMark, GitHub's extensions to it (strikethrough, mathematics) and HTML give a meaning.
_SPECIAL = re.compile(r"([\\`*_\[\]<>&|~$])")
_LEADING = re.compile(r"^([-+#=]|\d+[.)])")
# Mentions, references to issues and addresses become links wherever they stand, but not in code.
_LINKING = re.compile(r"@\w|#\w|://|www\.", re.IGNORECASE)


def plan_as_markdown(plan: Plan, *, full: bool = False, limit: int = LIMIT) -> str:
    """Return a plan as GitHub-flavoured Markdown of at most `limit` characters.

    Deletes come first and are loud, details are collapsed. Where there is more than fits, a note
    says how much was cut. Texts from elsewhere show as they are: none of them becomes markup, a
    link or a mention. The first line is a comment by which a job finds its own earlier report.
    """
    return report_as_markdown(plan_report(plan, full=full), limit)


def drift_as_markdown(found: DriftFound, *, full: bool = False, limit: int = LIMIT) -> str:
    """Return what drifted as GitHub-flavoured Markdown of at most `limit` characters."""
    return report_as_markdown(drift_report(found, full=full), limit)


def audit_as_markdown(found: AuditFound, *, full: bool = False, limit: int = LIMIT) -> str:
    """Return an audit as GitHub-flavoured Markdown of at most `limit` characters."""
    return report_as_markdown(audit_report(found, full=full), limit)


def report_as_markdown(report: Report, limit: int = LIMIT) -> str:
    """Return a report as GitHub-flavoured Markdown of at most `limit` characters."""
    head, foot = _head(report), _foot(report)
    blocks = [_block(section, report.whole) for section in report.sections]
    return head + "".join(_fitted(blocks, limit - len(head) - len(foot))) + foot


@dataclass(frozen=True, slots=True)
class _Block:
    """A section: rows between what opens and what closes it; a note of a cut goes before `end`.

    The note names the command that shows all, `whole_by`.
    """

    opening: str
    rows: tuple[str, ...]
    closing: str
    end: str
    whole_by: str

    @property
    def whole(self) -> int:
        """How many characters all of it takes."""
        frame = len(self.opening) + len(self.closing) + len(self.end)
        return frame + sum(len(row) + 1 for row in self.rows)

    def within(self, room: int) -> str:
        """Return the block, cut after a row where `room` ends."""
        if self.whole <= room:
            return self._of(self.rows)
        ends = accumulate(len(row) + 1 for row in self.rows)
        fitting = sum(1 for end in ends if end <= room - _FRAME)
        return self._of(
            self.rows[:fitting],
            f"*{count(len(self.rows) - fitting, 'more line')}: too long for this report; "
            f"`{self.whole_by}` shows all.*\n\n",
        )

    def _of(self, rows: Sequence[str], note: str = "") -> str:
        return "".join((self.opening, *(f"{row}\n" for row in rows), self.closing, note, self.end))


def _fitted(blocks: Sequence[_Block], room: int) -> Iterator[str]:
    """Yield the blocks so that none is left out for the length of those before it."""
    for number, block in enumerate(blocks):
        later = blocks[number + 1 :]
        wanted = sum(other.whole for other in later)
        least = sum(min(other.whole, _FRAME) for other in later)
        text = block.within(min(room - least, max(room // 2, room - wanted)))
        room -= len(text)
        yield text


def _head(report: Report) -> str:
    first, *others = ("".join(span.text for span in line.spans) for line in report.headline)
    marker = re.sub(r"[^a-z0-9]+", "-", report.estate.lower())[:40]
    parts = [f"<!-- engine-{report.kind}: {marker} -->", f"### {_prose(first)}", ""]
    for text in others:
        parts += [f"> {_prose(_clipped(text))}", ""]
    return "\n".join(parts) + "\n"


def _clipped(text: str) -> str:
    return text if len(text) <= _HEADLINE else f"{text[:_HEADLINE]} …"


def _foot(report: Report) -> str:
    rows = [f"- {_sentence(line)}" for line in report.footer]
    return "\n".join(["---", *rows, ""])


def _block(section: Section, whole_by: str) -> _Block:
    if section.aside:
        title, end = f"<details><summary>{section.title}</summary>\n\n", "</details>\n\n"
    elif section.tone is Tone.DELETE:
        title, end = f"> [!CAUTION]\n> **{section.title}**\n\n", ""
    else:
        title, end = f"#### {section.title}\n\n", ""
    if section.form is Form.NOTES:
        rows = (*_list(section.lines), *_table(section))
        return _Block(title, rows, "\n", end, whole_by)
    rows = tuple(_diff(section.lines))
    # A fence ends only at one as long as itself, so no row can close it.
    runs = (len(run) for row in rows for run in re.findall("`+", row))
    fence = "`" * max(3, 1 + max(runs, default=0))
    return _Block(f"{title}{fence}diff\n", rows, f"{fence}\n\n", end, whole_by)


def _diff(lines: Sequence[Line]) -> Iterator[str]:
    """Yield the rows of steps; the first column is what colours them."""
    for line in lines:
        sign = line.loud.value or " "
        for row in laid_out(replace(line, mark=Mark.NONE), PLAIN_WIDTH - 1, neutral):
            yield f"{sign}{''.join(span.text for span in row)}".rstrip()


def _list(lines: Sequence[Line]) -> Iterator[str]:
    for line in lines:
        yield f"{'  ' * max(0, line.level - 1)}- {_sentence(line)}"


def _table(section: Section) -> Iterator[str]:
    """Yield the rows of the section's table, parted from the list before it."""
    if section.table is None:
        return
    if section.lines:
        yield ""
    columns = section.table.columns
    yield _table_row((Span(column.title),) for column in columns)
    yield f"| {' | '.join('---:' if column.right else '---' for column in columns)} |"
    for row in section.table.rows:
        yield _table_row(row)


def _table_row(cells: Iterable[Sequence[Span]]) -> str:
    # A bar ends a cell, escaped or not, in code or not: programs that show Markdown disagree.
    shown = ([Span(s.text.replace("|", "\N{BROKEN BAR}"), s.tone) for s in cell] for cell in cells)
    return f"| {' | '.join(_sentence(Line(tuple(cell))) for cell in shown)} |"


def _sentence(line: Line) -> str:
    parts = []
    for number, span in enumerate(line.spans):
        if span.tone is Tone.NAME:
            parts.append(_code(span.text))
        else:
            text = _prose(span.text, first=number == 0)
            parts.append(_strong(text) if span.tone in _STRONG else text)
    return "".join(parts)


def _strong(text: str) -> str:
    bare = text.strip()
    return text.replace(bare, f"**{bare}**", 1) if bare else text


def _prose(text: str, *, first: bool = True) -> str:
    """Return a text that Markdown shows as it is; `first` where it begins a line."""
    text = neutral(text)
    words = [
        _code(word) if _LINKING.search(word) else _SPECIAL.sub(r"\\\1", word)
        for word in (text.lstrip() if first else text).split(" ")
    ]
    whole = " ".join(words)
    return _LEADING.sub(lambda found: f"{found[0][:-1]}\\{found[0][-1]}", whole) if first else whole


def _code(text: str) -> str:
    """Return a text as a code span: its fence is longer than any run of backticks inside."""
    text = neutral(text)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    pad = " " if text[:1] in {"`", " "} or text[-1:] in {"`", " "} else ""
    return f"{fence}{pad}{text}{pad}{fence}" if text.strip() else "` `"
