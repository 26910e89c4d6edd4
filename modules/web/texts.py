"""The few pieces of HTML that the page shows: generation texts, notices, the line under a finished job."""

import html
from collections.abc import Mapping
from typing import Any

from modules.errors import EaselError
from modules.infotext import read_infotext
from modules.jobs import Job, JobState

__all__ = ["error_html", "infotext_html", "job_log_html", "notice_html", "picture_items_html"]


def notice_html(sentence: str) -> str:
    """A plain line."""
    return f"<p>{html.escape(sentence)}</p>"


def error_html(sentence: str) -> str:
    """A sentence about what went wrong, read out by screen readers."""
    return f'<p class="error" role="alert">{html.escape(sentence)}</p>'


def infotext_html(infotext: str) -> str:
    """A generation text: the prompt, the negative prompt, then the fields."""
    if not infotext.strip():
        return ""
    text = read_infotext(infotext)
    lines = [f'<p class="infotext-prompt">{html.escape(text.prompt)}</p>'] if text.prompt else []
    if text.negative_prompt:
        lines.append(
            f'<p class="infotext-negative"><b>Negative prompt:</b> {html.escape(text.negative_prompt)}</p>'
        )
    fields = ", ".join(
        f"<span><b>{html.escape(key)}:</b> {html.escape(str(value))}</span>"
        for key, value in text.fields.items()
    )
    lines.append(f'<p class="infotext-fields">{fields}</p>')
    return f'<div class="infotext-body" data-text="{html.escape(infotext)}">{"".join(lines)}</div>'


def job_log_html(job: Job) -> str:
    """How a job ended: its error, or how long it took; and what the person should know about it."""
    lines = [f'<p class="note">{html.escape(note)}</p>' for note in job.notes]
    if job.error is not None:
        lines.insert(0, error_html(_sentence(job.error)))
    elif job.started is not None and job.state.is_final:
        made = sum(not picture.is_grid for picture in job.pictures)
        pictures = "1 picture" if made == 1 else f"{made} pictures"
        ended = "Interrupted after" if job.state is JobState.INTERRUPTED else "Took"
        lines.append(f'<p class="performance">{pictures}. {ended} {job.elapsed:.1f} s.</p>')
    elif job.state is JobState.INTERRUPTED:
        lines.append(notice_html("Taken back before it began."))
    return "".join(lines)


def _sentence(error: Exception) -> str:
    if isinstance(error, EaselError):
        return str(error)
    what = f"{type(error).__name__}: {error}"
    return f"The run ended with an error that was not expected ({what}). The log has more."


def picture_items_html(items: Mapping[str, Any]) -> str:
    """The other texts of a picture file, one under another; long ones are cut."""
    rows = [(str(key), str(value)) for key, value in items.items() if str(value) and key != "parameters"]
    shown = "".join(f"<dt>{html.escape(key)}</dt><dd>{html.escape(value[:2000])}</dd>" for key, value in rows)
    return f'<dl class="picture-items">{shown}</dl>' if rows else ""
