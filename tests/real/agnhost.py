#!/usr/bin/python3
"""What the tests ask of agnhost, for hosts without a registry: netexec, connect and --version."""

import os
import re
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        texts = {
            "/hostname": socket.gethostname(),
            "/clientip": ":".join(map(str, self.client_address)),
        }
        body = texts.get(self.path, "NOW").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def option(name, default):
    for index, word in enumerate(sys.argv):
        if word == name:
            return sys.argv[index + 1]
        if word.startswith(name + "="):
            return word.partition("=")[2]
    return default


def connect(target):
    host, _, port = target.rpartition(":")
    seconds = float(re.sub(r"[^0-9.]", "", option("--timeout", "5s")))
    try:
        socket.create_connection((host, int(port)), timeout=seconds).close()
    except socket.gaierror:
        return "DNS"
    except TimeoutError:
        return "TIMEOUT"
    except ConnectionRefusedError:
        return "REFUSED"
    except OSError:
        return "OTHER"
    return ""


verb = sys.argv[1] if len(sys.argv) > 1 else ""
if verb == "netexec":
    ThreadingHTTPServer(("", int(option("--http-port", "8080"))), Answer).serve_forever()
elif verb == "connect":
    words = [word for word in sys.argv[2:] if not word.startswith("-")]
    if problem := connect(words[0]):
        sys.exit(problem)
elif verb == "--version":
    os.write(1, b"agnhost version of the tests\n")
else:
    sys.exit(f"agnhost: {verb or 'nothing'} is not among what the tests need")
