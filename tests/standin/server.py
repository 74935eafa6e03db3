"""One HTTP/1.1 server on a loopback port of its own, in threads of this process."""

import contextlib
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standin.faults import FaultPlan
from standin.log import Request, RequestLog
from standin.replies import Interruption, Reply, cut_to_range

#: A pause in a reply is noticed at each of these; a client counts on early bytes going out early.
_CHUNK_BYTES = 1 << 17
#: Seconds between the pieces of a body that is slowed.
_TICK = 0.02


class Server:
    """An origin (`url`) that answers each request with a Reply, faults applied."""

    def __init__(
        self, name: str, answer: Callable[[Request], Reply], log: RequestLog, faults: FaultPlan
    ) -> None:
        self._listener = _Listener(_Duty(name, answer, log, faults))
        self._thread = threading.Thread(
            target=self._listener.serve_forever, args=(0.02,), name=f"standin-{name}", daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`, without a slash at the end."""
        return f"http://127.0.0.1:{self._listener.server_port}"

    def close(self) -> None:
        """Stop listening, end pauses, close what clients keep alive."""
        self._listener.duty.closing.set()
        self._listener.shutdown()
        self._listener.server_close()
        self._listener.hang_up()
        self._thread.join(timeout=5)


@dataclass(frozen=True)
class _Duty:
    """What the threads of one server share."""

    name: str
    answer: Callable[[Request], Reply]
    log: RequestLog
    faults: FaultPlan
    closing: threading.Event = field(default_factory=threading.Event)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # the default of 5 refuses connections of many processes at once

    def __init__(self, duty: _Duty) -> None:
        self.duty = duty
        self._idle = threading.Condition()
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Conversation)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._idle:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._idle:
            self._open.discard(request)
            self._idle.notify_all()

    def hang_up(self) -> None:
        """Close each connection, and wait until its thread has let go of it."""
        with self._idle:
            for connection in self._open:
                with contextlib.suppress(OSError):  # the client was first
                    connection.shutdown(socket.SHUT_RDWR)
            self._idle.wait_for(lambda: not self._open, timeout=5)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print the traceback of a crashed route; say nothing of clients that went away."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Conversation(BaseHTTPRequestHandler):
    """One connection: request after request until either side closes."""

    server: _Listener
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes: 40 ms each on loopback

    def do_GET(self) -> None:
        duty = self.server.duty
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(duty.name, self.command, self.path, headers)
        self._number = duty.log.enter(request)
        reply = duty.faults.apply(request, duty.answer(request))
        self._send(cut_to_range(reply, headers))

    def do_HEAD(self) -> None:
        self.do_GET()

    def _send(self, reply: Reply) -> None:
        pause = reply.interruption
        if pause and pause.at is None and not self._outlast(pause):
            return
        self._send_head(reply)
        if self.command != "HEAD":
            self._send_body(reply)

    def _send_head(self, reply: Reply) -> None:
        self.server.duty.log.note(self._number, status=reply.status)
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()

    def _send_body(self, reply: Reply) -> None:
        pause = reply.interruption
        at = pause.at if pause else None
        if pause is None or at is None:
            self._write(reply.body, reply.pace)
            return
        self._write(reply.body[:at], reply.pace)
        if self._outlast(pause):
            self._write(reply.body[at:], reply.pace)

    def _write(self, data: bytes, pace: float | None) -> None:
        log, view = self.server.duty.log, memoryview(data)
        size = _CHUNK_BYTES if pace is None else max(1, int(pace * _TICK))
        for start in range(0, len(view), size):
            chunk = view[start : start + size]
            if pace is not None and self.server.duty.closing.wait(len(chunk) / pace):
                self.close_connection = True
                return
            log.note(self._number, sent=len(chunk))
            try:
                self.wfile.write(chunk)
            except OSError:
                log.note(self._number, sent=-len(chunk))
                raise

    def _outlast(self, pause: Interruption) -> bool:
        """Wait; whether the reply goes on after it. If not, the connection ends here."""
        closing = self.server.duty.closing
        if pause.seconds != 0:
            closing.wait(pause.seconds)
        self.close_connection = not pause.goes_on or closing.is_set()
        return not self.close_connection

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep quiet: the request log holds it."""
