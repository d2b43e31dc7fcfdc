"""A receiver of alerts that prints a line for each: what a chat or a pager would be.

``/hook`` takes what `maskstream notify` signs, ``/alertmanager`` what Alertmanager posts.
"""

import json
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from standardwebhooks import Webhook, WebhookVerificationError

SECRET = Path("/run/secrets/receiver").read_text().strip()


class Receiver(BaseHTTPRequestHandler):
    """Answers 204 to what it takes, and 401 to what is not signed with our secret."""

    def do_POST(self) -> None:
        """Print what came."""
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            lines = LINES[self.path](dict(self.headers.items()), body)
        except KeyError:
            self.send_error(404)
        except WebhookVerificationError:
            self.send_error(401)
        else:
            print(*lines, sep="\n", flush=True)
            self.send_response(204)
            self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Say nothing of requests themselves."""


def of_maskstream(headers: dict[str, str], body: bytes) -> list[str]:
    """The event in a request. Raises `WebhookVerificationError` where it is not signed by us."""
    event = Webhook(SECRET).verify(body, headers)
    alert = event["data"]
    return [f"{event['type']} {alert['severity']} {alert['rule']} {alert['camera']} {alert['id']}"]


def of_alertmanager(_headers: dict[str, str], body: bytes) -> list[str]:
    """The alerts of a group."""
    alerts = json.loads(body)["alerts"]
    named = [(each["status"], each["labels"]) for each in alerts]
    return [
        f"alertmanager.{status} {labels.get('severity', '')} {labels['alertname']} "
        f"{labels.get('camera', '')} {labels.get('alert_id', '')}".rstrip()
        for status, labels in named
    ]


LINES = {"/hook": of_maskstream, "/alertmanager": of_alertmanager}

if __name__ == "__main__":
    # Process 1 of a container, which a signal without a handler does not end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    ThreadingHTTPServer(("", 9000), Receiver).serve_forever()
