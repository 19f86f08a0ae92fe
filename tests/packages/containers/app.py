"""An app on the host for the emulator in a container: accepts each fax, reads its document, and prints each request as JSON.

    python3 app.py PORT
"""

import json
import sys
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TWIML = b'<Response><Receive action="/fax/received"/></Response>'


class App(BaseHTTPRequestHandler):
    def do_POST(self):
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        params = dict(urllib.parse.parse_qsl(form))
        seen = {"path": self.path, "host": self.headers["Host"], "params": params}
        if "MediaUrl" in params:
            with urllib.request.urlopen(params["MediaUrl"], timeout=10) as media:
                seen["media"] = media.read(5).decode()
        print(json.dumps(seen), flush=True)
        body = TWIML if self.path == "/fax" else b""
        self.send_response(200 if body else 204)
        if body:
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Suppresses the server's own log, so that only the requests are printed."""


if __name__ == "__main__":
    # Containers reach the host at the address of their bridge, and not at 127.0.0.1.
    server = ThreadingHTTPServer(("0.0.0.0", int(sys.argv[1])), App)
    print("listening", flush=True)
    server.serve_forever()
