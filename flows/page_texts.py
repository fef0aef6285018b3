"""What Prefect's pages say of a run, as markdown. Names come from users' files: nothing in them is markup."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence

from flows.lengths import length
from flows.report import BlurReport
from tasks.choosing import Decision
from tasks.video.locations import is_s3, name_of

_NO_FACES: Mapping[int, str] = {}


def people_text(decisions: Sequence[Decision], faces: Mapping[int, str] = _NO_FACES) -> str:
    """A table of people, those to look at first; with pictures of those in `faces`."""
    columns = [*(["face"] if faces else []), "person", "decision", "why", "probability", "seen", "blurred"]
    rows = []
    for each in decisions:
        rows.append(
            [
                *([_picture(each, faces)] if faces else []),
                f"**{plain(who(each))}**",
                f"{each.decision}{' (unsure)' if each.unsure else ''}",
                plain(each.reason),
                "" if each.probability is None else f"{each.probability:.1%}",
                length(each.seconds),
                length(each.blurred_seconds),
            ]
        )
    return _table(columns, rows) if rows else "No face was found."


def form_text(source: str, decisions: Sequence[Decision], faces: Mapping[int, str]) -> str:
    """What a form asks, above its fields."""
    rows = [
        [_picture(each, faces), f"**{plain(who(each))}**", f"{each.decision}{' (unsure)' if each.unsure else ''}", plain(each.reason)]
        for each in decisions
    ]
    words = f"Who is blurred in **{plain(name_of(source))}**? The numbers are those of the fields below."
    return f"{words}\n\n{_table(['face', 'person', 'suggested', 'why'], rows)}"


def who(decision: Decision) -> str:
    """What a person is called: their number, and a name where there is one.

    The name of somebody that they only are most like is in the reason.
    """
    return f"{decision.person} · {decision.called}" if decision.called else str(decision.person)


def summary_text(source: str, target: str, report: BlurReport) -> str:
    """Warnings first; then what was done with whom, where the result is, and what it took."""
    hidden = sum(each.decision != "kept" for each in report.people)
    parts = [f"# {plain(name_of(source))}"]
    parts += [f"> ⚠️ {plain(warning)}\n" for warning in report.warnings]
    parts += [
        f"**{hidden} of {len(report.people)} people blurred**, in {report.num_covered_frames:,} of {report.num_frames:,} frames. "
        f"Result: {_link(target)}",
        _table(
            ["frames copied", "shots", "whole pictures looked at", "checked again", "findings"],
            [
                [
                    f"{n:,}"
                    for n in (report.num_copied_frames, report.num_shots, report.num_looks, report.num_checked_frames, len(report.findings))
                ]
            ],
        ),
        "## Looks, by reason",
        _table(["reason", "looks"], [[plain(reason), f"{number:,}"] for reason, number in sorted(report.looks_by_reason.items())]),
        "## Stages",
        _table(
            ["stage", "seconds", "parts", "known from before"],
            [[each.stage, f"{each.seconds:.1f}", str(each.num_parts), str(each.num_cached)] for each in report.stages],
        ),
    ]
    if report.left_out:
        parts.append(f"Not in the result: {plain(', '.join(report.left_out))}.")
    return "\n\n".join(parts)


def plain(text: str) -> str:
    r"""The text as markdown that shows it, in one cell of a table; an address in it does not become a link.

    >>> plain("a|b <i>_x_</i> www.a.b http://a.b")
    'a\\|b &lt;i&gt;\\_x\\_&lt;/i&gt; www\\.a.b http\\://a.b'
    """
    return re.sub(r"([\\`*_{}\[\]#|~!:@]|(?<=www)\.)", r"\\\1", html.escape(" ".join(text.split()), quote=False))


def _link(target: str) -> str:
    if not is_s3(target):
        return f"`{target.replace('`', '')}`"
    bucket, _, key = target.removeprefix("s3://").partition("/")
    from urllib.parse import quote

    return f"[{plain(target)}](https://console.aws.amazon.com/s3/object/{quote(bucket)}?prefix={quote(key)})"


def _picture(decision: Decision, faces: Mapping[int, str]) -> str:
    return f"![person {decision.person}]({faces[decision.person]})" if decision.person in faces else ""


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
