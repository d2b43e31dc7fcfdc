"""What `helm test` asks: are all topics there, and is every pod of every role ready?"""

import socket
import subprocess
import sys
import urllib.error
import urllib.request

AS_IT_SHOULD_BE = "all topics are as they should be"
PATIENCE_S = 10


def topics(config: str) -> list[str]:
    """What is wrong with the topics."""
    command = ["maskstream", "topics", "apply", config, "--dry-run"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    told = (asked.stdout + asked.stderr).strip()
    return [] if asked.returncode == 0 and told == AS_IT_SHOULD_BE else [f"topics: {told}"]


def pods(service: str) -> list[str]:
    """What is wrong with the pods behind a headless service, ready or not."""
    host, _, port = service.partition(":")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        return [f"{host}: {error}"]
    addresses = sorted({str(each[4][0]) for each in found})
    print(f"{host}: {len(addresses)} in all", flush=True)
    return [fault for each in addresses for fault in _pod(host, each, port)]


def _pod(host: str, address: str, port: str) -> list[str]:
    named = f"[{address}]" if ":" in address else address
    try:
        with urllib.request.urlopen(f"http://{named}:{port}/readyz", timeout=PATIENCE_S):
            return []
    except urllib.error.HTTPError as error:
        return [f"{host} ({address}) is not ready: {error.read().decode().strip()}"]
    except OSError as error:
        return [f"{host} ({address}) does not answer: {error}"]


def main(config: str, services: list[str]) -> int:
    """Print what is wrong; 1 where anything is."""
    faults = [*topics(config), *(fault for each in services for fault in pods(each))]
    print("\n".join(faults) or "all is well")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
