"""A fake Hugging Face hub on this machine, with faults that can be switched on."""

import hashlib
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "f" * 40


class Hub:
    """What is served, by file name, and how; ``requests`` keeps (method, first byte) of what was asked.

    ``break_after``: send so many bytes of a file, then close the connection; once, unless ``always`` is set.
    ``code``: what is missing, in the hub's words, for every request.
    """

    def __init__(self, files):
        self.files = files
        self.digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
        self.requests = []
        self.break_after = None
        self.always = False
        self.code = ""

    def answer(self, handler, *, body):
        found = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", handler.path)
        if not found or self.code or found[3] not in self.files:
            handler.send_response(404)
            handler.send_header("X-Error-Code", self.code or "EntryNotFound")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        name, revision = found[3], found[2]
        data = self.files[name]
        first = int(re.match(r"bytes=(\d+)-", handler.headers.get("Range", "bytes=0-"))[1])
        self.requests.append((handler.command, first))
        handler.send_response(206 if first else 200)
        if first:
            handler.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        handler.send_header("ETag", '"' + "0" * 40 + '"')
        handler.send_header("X-Linked-Etag", f'"{self.digests[name]}"')
        handler.send_header("X-Linked-Size", str(len(data)))
        handler.send_header("X-Repo-Commit", revision if len(revision) == 40 else COMMIT)
        handler.send_header("Content-Length", str(len(data) - first))
        handler.end_headers()
        if body:
            self.send(handler, data[first:])

    def send(self, handler, data):
        if self.break_after is None:
            handler.wfile.write(data)
            return
        handler.wfile.write(data[: self.break_after])
        handler.close_connection = True
        if not self.always:
            self.break_after = None


@contextmanager
def serving(hub):
    """The address of ``hub`` on this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self):
            hub.answer(self, body=False)

        def do_GET(self):
            hub.answer(self, body=True)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
