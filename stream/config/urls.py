"""Which URLs a camera and an endpoint may have. What is wrong is said in words, never raised."""

import re
import socket
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from stream.config.addresses import is_public
from stream.config.redact import has_secret, redact
from stream.specs import AllowedSpec, file_path

_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\x9f]")


def camera_url_fault(url: str, allowed: AllowedSpec, folder: Path) -> str | None:
    """Why a camera may not have ``url``, or None. Relative paths are relative to ``folder``.

    The folder that is allowed is compared after symbolic links are followed.
    """
    if "\0" in url:
        return "allowed: a URL without NUL"
    path = file_path(url)
    scheme = "file" if path is not None else url.partition(":")[0].lower()
    if scheme not in allowed.schemes or not _inside(path, allowed, folder):
        return f"scheme not allowed ({_schemes(allowed)})"
    if path is None and has_secret(url):
        return "credentials inside a URL are refused; name them with credentials: …"
    parts = _split(url) if path is None else None
    if path is None and (parts is None or not parts.hostname):
        return f"allowed: {scheme}://host[:port]/path"
    return None


def endpoint_url_fault(url: str, allow_private: bool) -> str | None:
    """Why an endpoint may not have ``url``, or None. Names are not resolved here."""
    parts = _split(url)
    if parts is None:
        return "a URL without spaces, line breaks and control characters, as https://host/path"
    if parts.scheme not in ("https", "http") or not parts.hostname:
        return "https://host/path"
    if "@" in parts.netloc:
        return "a URL without credentials"
    if parts.scheme == "http" and not allow_private:
        return "https, or http with allow_private: true"
    if is_private(parts.hostname) and not allow_private:
        return "a public address, or a private one with allow_private: true"
    return None


def is_private(host: str) -> bool:
    """Whether ``host`` is a literal address that is not public, or a name of this machine.

    Short and whole-number forms of IPv4 (``127.1``, ``2130706433``) count, as resolvers take them.
    """
    host = host.rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return not is_public(host)
    except ValueError:
        pass
    try:
        return not is_public(socket.inet_ntoa(socket.inet_aton(host)))
    except (OSError, ValueError):
        return False


def _split(url: str) -> SplitResult | None:
    if _UNPRINTABLE.search(url):
        return None
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it judges it
    except ValueError:
        return None
    return parts


def _inside(path: Path | None, allowed: AllowedSpec, folder: Path) -> bool:
    if path is None or allowed.folder is None:
        return True
    return (folder / path).resolve().is_relative_to(allowed.folder.resolve())


def _schemes(allowed: AllowedSpec) -> str:
    where = "any folder" if allowed.folder is None else redact(str(allowed.folder))
    return ", ".join(f"file under {where}" if s == "file" else s for s in allowed.schemes)
