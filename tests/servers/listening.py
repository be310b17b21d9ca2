"""An HTTP server in a thread of its own, with TLS where there are certificates."""

from __future__ import annotations

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.servers.tls import Certificates


def listening(
    port: int, handler: type[BaseHTTPRequestHandler], certificates: Certificates | None
) -> ThreadingHTTPServer:
    """The server, answering; end it with shutdown() and server_close()."""
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    if certificates is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificates.certificate, certificates.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
