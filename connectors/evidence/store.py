"""The store of evidence: a folder, or a bucket of a service that speaks S3, through fsspec."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self, TypeVar
from uuid import uuid4

import fsspec
from fsspec.implementations.local import LocalFileSystem

from stream.config import password
from stream.errors import ConfigError, EvidenceError
from stream.evidence import Kept
from stream.evidence_spec import EvidenceSpec, S3Spec, is_s3

THREADS = 4
"""Calls at a time. They are threads of its own: a store that hangs holds nothing else up."""
PATIENCE = {"connect_timeout": 3, "read_timeout": 10, "retries": {"max_attempts": 2}}
"""Seconds, as botocore counts them; its own minute would hold a thread for that long."""

_T = TypeVar("_T")


class EvidenceStore:
    """Files by name; use as ``async with``. Every call but `link` raises `EvidenceError` where the
    store does not take part.
    """

    def __init__(self, spec: EvidenceSpec, env: Mapping[str, str]) -> None:
        """``env`` is where secrets are looked up that name a variable.

        Raises `ConfigError` where they cannot be read, or what a bucket needs is not installed.
        """
        self._place = spec.store
        self._is_folder = not is_s3(spec.store)
        self._root = spec.store.removeprefix("s3://")
        self._files: Any = _folder() if self._is_folder else _bucket(spec.s3 or S3Spec(), env)
        own = Path(spec.store).as_uri() if self._is_folder else spec.store
        self._link = (spec.link or own).rstrip("/")
        self._threads = ThreadPoolExecutor(THREADS, "evidence")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def link(self, name: str) -> str:
        """Where receivers find it."""
        return f"{self._link}/{name}"

    async def put(self, name: str, content: bytes) -> None:
        """Keep ``content`` under ``name``, in place of what is there. Nobody ever sees a part."""
        await self._call(self._put, f"{self._root}/{name}", content)

    async def has(self, name: str) -> bool:
        """Whether there is something under ``name``."""
        return await self._call(self._files.isfile, f"{self._root}/{name}")

    @asynccontextmanager
    async def opened(self, name: str) -> AsyncIterator["Stored | None"]:
        """What is under ``name``, to be read in pieces; None where nothing is."""
        file = await self._call(self._opened, f"{self._root}/{name}")
        if file is None:
            yield None
            return
        try:
            yield Stored(file, self._call)
        finally:
            with suppress(EvidenceError):  # it was only read: there is nothing more to fail
                await self._call(file.close)

    async def kept(self) -> list[Kept]:
        """All that is there."""
        return await self._call(self._kept)

    async def remove(self, names: Sequence[str]) -> None:
        """Delete these; what is gone already is no fault."""
        paths = [f"{self._root}/{name}" for name in names]
        await self._call(self._remove_files if self._is_folder else self._files.rm, paths)

    async def _call(self, work: Callable[..., _T], *args: Any) -> _T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)
        except Exception as error:  # each of fsspec's file systems raises errors of its own
            reason = getattr(error, "strerror", None) or error
            raise EvidenceError(f"evidence.store {self._place}: {reason}") from error

    def _put(self, path: str, content: bytes) -> None:
        if not self._is_folder:  # an object is there once it is whole
            self._files.pipe_file(path, content)
            return
        part = f"{path}.{uuid4().hex}.part"
        try:
            self._files.pipe_file(part, content)
            self._files.mv(part, path)
        except BaseException:
            with suppress(OSError):
                self._files.rm_file(part)
            raise

    def _opened(self, path: str) -> Any:
        try:
            return self._files.open(path, "rb", cache_type="none")
        except FileNotFoundError:
            return None

    def _kept(self) -> list[Kept]:
        found = self._files.find(self._root, detail=True)
        return [
            Kept(path[len(self._root) + 1 :], _stored_us(about), int(about["size"]))
            for path, about in found.items()
        ]

    def _remove_files(self, paths: Sequence[str]) -> None:
        for path in paths:
            with suppress(FileNotFoundError):
                self._files.rm_file(path)
            with suppress(OSError):  # it holds more
                for folder in list(Path(path).parents)[:3]:  # the alert's, the day's, the camera's
                    self._files.rmdir(str(folder))


class Stored:
    """A file that is open for reading: of ``size`` bytes, and it stays the one that was opened.

    A folder keeps what is open when another takes its name, and a bucket gives no more of it.
    """

    def __init__(self, file: Any, call: Callable[..., Awaitable[bytes]]) -> None:
        self._file = file
        self._call = call
        self.size = int(file.size)

    async def read(self, start: int, end: int) -> bytes:
        """The bytes from ``start`` to before ``end``, one call at a time.

        Raises `EvidenceError` where the store does not give all of them.
        """
        return await self._call(self._read, start, end)

    def _read(self, start: int, end: int) -> bytes:
        self._file.seek(start)
        found: bytes = self._file.read(end - start)
        if len(found) < end - start:
            raise OSError(f"it ends after {start + len(found)} of {self.size} bytes")
        return found


def _folder() -> LocalFileSystem:
    return LocalFileSystem(auto_mkdir=True)


def _bucket(spec: S3Spec, env: Mapping[str, str]) -> Any:
    if find_spec("s3fs") is None:
        raise ConfigError("evidence.store: s3:// needs s3fs: pip install maskstream[s3]")
    secrets = {}
    if spec.key is not None and spec.secret is not None:
        secrets = {
            "key": password(spec.key, env).get_secret_value(),
            "secret": password(spec.secret, env).get_secret_value(),
        }
    return fsspec.filesystem(
        "s3",
        endpoint_url=spec.endpoint,
        config_kwargs=PATIENCE,
        use_listings_cache=False,
        skip_instance_cache=True,
        **secrets,
    )


def _stored_us(about: Mapping[str, Any]) -> int:
    """When a file was written, as folders say it and as S3 does."""
    stored: float | datetime = about["mtime"] if "mtime" in about else about["LastModified"]
    seconds = stored.timestamp() if isinstance(stored, datetime) else stored
    return round(seconds * 1e6)
