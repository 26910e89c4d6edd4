"""Batches on the disk: a file with the plan, and one that grows by a line for each picture."""

import json
import logging
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ValidationError

from modules.atomic import replace_file
from modules.batches.batch import Batch, BatchState, Outcome, OutcomeKind
from modules.batches.plan import BatchPlan
from modules.errors import EaselError

__all__ = ["BatchBook"]

log = logging.getLogger(__name__)

PLAN, JOURNAL, UPLOADS = "plan.json", "outcomes.jsonl", "pictures"


class _Head(BaseModel):
    """The first file: all that is not told picture by picture."""

    plan: BatchPlan
    names: tuple[str, ...]
    has_uploads: bool
    client: str
    created: float
    state: BatchState


class BatchBook:
    """Writes batches down as they go on, each in a folder of its own, and reads them back."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def uploads(self, batch: Batch) -> Path | None:
        """Where the pictures of `batch` are that were sent; None where it has a folder for them."""
        return self._folder / batch.id / UPLOADS if batch.has_uploads else None

    def new(
        self,
        plan: BatchPlan,
        names: Sequence[str],
        *,
        client: str,
        state: BatchState = BatchState.RUNNING,
        has_uploads: bool = False,
    ) -> Batch:
        """A batch, written down. Raises EaselError when it cannot be."""
        batch = Batch(secrets.token_hex(6), plan, tuple(names), has_uploads, client, state=state)
        self.write(batch, state)
        return batch

    def write(self, batch: Batch, state: BatchState) -> None:
        """Write all of `batch` but its outcomes, with the `state` that it is to have. Raises EaselError."""
        head = _Head(
            plan=batch.plan, names=batch.names, has_uploads=batch.has_uploads, client=batch.client,
            created=batch.created, state=state,
        )  # fmt: skip
        folder = self._folder / batch.id
        try:
            folder.mkdir(parents=True, exist_ok=True)
            replace_file(folder / PLAN, head.model_dump_json().encode())
        except OSError as error:
            raise EaselError(
                f"The batch cannot be written down in {folder}: {error.strerror or error}. Make room there."
            ) from error

    def note(self, batch: Batch, number: int, outcome: Outcome) -> None:
        """Picture `number` has come to this. Where it cannot be written, a start asks the queue again."""
        batch.note(number, outcome)
        line = json.dumps([number, outcome.kind, outcome.sentence], ensure_ascii=False)
        try:
            with (self._folder / batch.id / JOURNAL).open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")
        except OSError as error:
            log.warning(
                "Batch %s: what became of %s is not written: %s", batch.id, batch.names[number], error
            )

    def read_all(self) -> list[Batch]:
        """The batches that are written down, oldest first; what cannot be read is left out."""
        folders = [path for path in self._folder.glob("*") if path.is_dir()]
        found = [batch for folder in folders if (batch := self._read(folder))]
        return sorted(found, key=lambda batch: batch.created)

    def discard(self, batch: Batch) -> None:
        """Forget `batch` and the pictures that were sent for it; the outputs stay."""
        shutil.rmtree(self._folder / batch.id, ignore_errors=True)

    def drop_uploads(self, batch: Batch) -> None:
        """Remove the pictures that were sent for `batch`: they are drawn."""
        if uploads := self.uploads(batch):
            shutil.rmtree(uploads, ignore_errors=True)

    def _read(self, folder: Path) -> Batch | None:
        try:
            head = _Head.model_validate_json((folder / PLAN).read_bytes())
        except (OSError, ValidationError) as error:
            log.warning("The batch in %s cannot be read: %s", folder, error)
            return None
        batch = Batch(
            folder.name, head.plan, head.names, head.has_uploads, head.client, head.created, head.state
        )
        for number, outcome in _outcomes(folder / JOURNAL):
            if number < len(batch.names):
                batch.note(number, outcome)
        return batch


def _outcomes(path: Path) -> list[tuple[int, Outcome]]:
    """The lines of a journal; a crash may have cut the last one off."""
    found = []
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    for line in lines:
        try:
            number, kind, sentence = json.loads(line)
            found.append((int(number), Outcome(OutcomeKind(kind), str(sentence))))
        except (ValueError, TypeError):
            continue
    return found
