"""Docker's health check: a container is healthy while its role lives and is ready for work.

Asks the probes of the role, at the port of ``health`` in its configuration: 9090, or what
``MASKSTREAM_HEALTH_PORT`` says. Kubernetes has probes of its own and never runs this.
"""

import os
import sys
from http.client import HTTPConnection, HTTPException

PORT = int(os.environ.get("MASKSTREAM_HEALTH_PORT", "9090"))


def answer(path: str) -> str:
    """Why the probe fails, or nothing."""
    connection = HTTPConnection("127.0.0.1", PORT, timeout=2)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        said = response.read().decode(errors="replace").strip()
    except (OSError, HTTPException) as error:
        return f"{path}: port {PORT}: {error}"
    finally:
        connection.close()
    return "" if response.status == 200 else f"{path}: {said}"


sys.exit("\n".join(filter(None, map(answer, ("/livez", "/readyz")))) or 0)
