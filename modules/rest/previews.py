"""Previews on their way to watchers: each is encoded once, however many watch."""

import io
import threading

from fastapi.concurrency import run_in_threadpool

from modules.jobs import Preview

__all__ = ["PreviewEncoder"]


class PreviewEncoder:
    """Encodes previews, and keeps the last result of each format."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: dict[str, tuple[Preview, bytes]] = {}

    def encode(self, preview: Preview, kind: str) -> bytes:
        """`preview` as a file. kind: png, jpeg or webp."""
        with self._lock:
            known = self._latest.get(kind)
            if known and known[0] is preview:
                return known[1]
            file = io.BytesIO()
            preview.image.save(file, kind)
            self._latest[kind] = (preview, file.getvalue())
            return self._latest[kind][1]

    async def encoded(self, preview: Preview, kind: str) -> bytes:
        """As `encode`, without holding up the other requests."""
        return await run_in_threadpool(self.encode, preview, kind)
