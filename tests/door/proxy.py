"""A reverse proxy that shows a server under a path, as nginx would: the path is cut off before the server sees it."""

import contextlib
import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive"}


def _handler(prefix: str, port: int) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def forward(self) -> None:
            if not self.path.startswith(f"{prefix}/"):
                self.send_error(404, "outside the path")
                return
            upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {key: value for key, value in self.headers.items() if key.lower() not in HOP_BY_HOP}
            upstream.request(self.command, self.path.removeprefix(prefix), body, headers)
            answer = upstream.getresponse()
            self.send_response_only(answer.status)
            for key, value in answer.getheaders():
                if key.lower() not in HOP_BY_HOP:
                    self.send_header(key, value)
            self.send_header("Connection", "close")
            self.end_headers()
            with contextlib.suppress(OSError):
                while piece := answer.read1(65536):
                    self.wfile.write(piece)
                    self.wfile.flush()
            self.close_connection = True

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = forward  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Silent."""

    return Handler


@contextlib.contextmanager
def proxy(prefix: str, port: int) -> Iterator[str]:
    """The address of a proxy that shows the server at `port` under `prefix`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(prefix, port))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{prefix}/"
    finally:
        server.shutdown()
