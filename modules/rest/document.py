"""What the OpenAPI document says about the API as a whole."""

__all__ = ["DESCRIPTION", "TAGS"]

DESCRIPTION = """
Two sets of routes over one queue:

- `/sdapi/v1` and `/internal` are the field's: names, defaults and answers are those that its clients know.
  A call that makes pictures answers when they are made.
- `/easel/v1` is Easel's own: a job is accepted at once, can be followed by server-sent events, ordered,
  stopped, and its pictures fetched as files, while it runs and after.

Every failure answers in one shape, `ErrorAnswer`, with a sentence in `detail`.
`docs/api.md` shows how to use it.
"""

TAGS = {
    "pictures": "The field's calls that make, enlarge and read pictures.",
    "progress": "How far the running work is, and the buttons that end it.",
    "lists": "What pictures can be made with: samplers, checkpoints, upscalers, styles.",
    "settings": "Settings and the command line.",
    "machine": "The program, its memory, and the machine.",
    "jobs": "Easel's own: jobs that are followed and fetched.",
    "queue": "Easel's own: the order of work.",
    "merging": "Easel's own: checkpoints that are made of others.",
    "networks": "Cards of checkpoints, LoRAs, hypernetworks and embeddings.",
    "proof": "Easel's own: pictures that are made again and compared.",
}
