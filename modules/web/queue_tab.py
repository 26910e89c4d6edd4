"""The Queue tab: its places and headings. The jobs are put into them by static/js/queue_*.js, which asks
/easel/v1 for them.
"""

import gradio as gr

__all__ = ["queue_tab"]

HEAD = """
<div class="queue-head">
  <p id="queue_summary" role="status"></p>
  <button type="button" id="queue_pause">Pause the queue</button>
  <button type="button" id="queue_clear">Clear past jobs</button>
</div>
<div id="queue_held_line" role="alert" hidden>
  <p></p>
  <button type="button" class="primary" data-queue="release">Go on</button>
  <button type="button" data-queue="discard">Set aside</button>
</div>"""

SECTIONS = (
    ("running", "Running", "Nothing runs. What you generate, or send to the API, appears here."),
    ("held", "Left from before", ""),
    ("waiting", "Waiting", "Nothing waits. Generate while something runs, and it is queued here."),
    ("past", "Past", "No job has ended yet."),
)
MORE = '<button type="button" id="queue_{name}_more" class="queue-more" hidden></button>'


def queue_tab() -> None:
    """Lay the tab out."""
    sections = "".join(_section(name, title, empty) for name, title, empty in SECTIONS)
    gr.HTML(f'{HEAD}{sections}<p id="queue_live" class="for-ears" aria-live="polite"></p>', elem_id="queue")


def _section(name: str, title: str, empty: str) -> str:
    return (
        f'<section id="queue_{name}" aria-labelledby="queue_{name}_title"><h2 id="queue_{name}_title">{title}'
        f'</h2><ul class="queue-jobs"></ul><p class="queue-empty" hidden>{empty}</p>'
        f"{MORE.format(name=name)}</section>"
    )
