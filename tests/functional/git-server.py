"""A Git server over HTTP for the user ann with the password s3cret: GIT_ROOT's repositories on the loopback's port 8418."""

import base64
import http.server
import os
import subprocess

EXPECTED = "Basic " + base64.b64encode(b"ann:s3cret").decode()


class GitHandler(http.server.BaseHTTPRequestHandler):
    def handle_git(self) -> None:
        if self.headers.get("authorization") != EXPECTED:
            self.send_response(401)
            self.send_header("www-authenticate", 'Basic realm="git"')
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        environment = os.environ | {
            "GIT_PROJECT_ROOT": os.environ["GIT_ROOT"],
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "REMOTE_USER": "ann",
            "CONTENT_TYPE": self.headers.get("content-type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("content-encoding", ""),
        }
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        answer = subprocess.run(["git", "http-backend"], input=body, env=environment, stdout=subprocess.PIPE, check=True)
        head, _, content = answer.stdout.partition(b"\r\n\r\n")
        headers = [line.split(": ", 1) for line in head.decode().split("\r\n")]
        self.send_response(int(dict(headers).get("Status", "200").split()[0]))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = handle_git


http.server.ThreadingHTTPServer(("127.0.0.1", 8418), GitHandler).serve_forever()
