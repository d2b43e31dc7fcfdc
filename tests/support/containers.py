"""Services of deploy/compose without an engine: containers of `tests.support.sandbox`.

Real are a service's command, environment, user, mounts, secrets, tmpfs, read-only root, its being
process 1 without capabilities, a network of its own and the names of the others. Not its image: the
programs are those of this machine. Limits of memory are not enforced.
"""

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.bridge import GATEWAY, Bridge, Namespace, bridge
from tests.support.compose import SECRETS, Service
from tests.support.sandbox import Box, Boxed, Mount

ENTRYPOINT = ["maskstream"]
"""Of our image, and of none other: what is not ours is started with a program."""


@dataclass(frozen=True)
class Container:
    """A service that runs, or has ended. ``box`` is what it was started with."""

    service: Service
    log: Path
    boxed: Boxed
    box: Box
    network: Namespace

    def text(self) -> str:
        return self.log.read_text()

    def ended(self, deadline_s: float) -> int:
        """Its exit code, once it has ended by itself."""
        return self.boxed.wait(deadline_s)


class Containers:
    """Runs services. Their logs and named volumes are in ``folder``."""

    def __init__(self, folder: Path, secrets: Path, joined: Bridge) -> None:
        self._folder, self._secrets, self.bridge = folder, secrets, joined
        self._boxes = 0
        (folder / "resolv.conf").write_text(f"nameserver {GATEWAY}\noptions ndots:0\n")
        self.started: list[Container] = []

    def start(
        self, service: Service, program: Sequence[str] = (), more: Sequence[Mount] = ()
    ) -> Container:
        """Start one. ``program``, with ``more`` mounted, stands for what its image starts."""
        entrypoint = [] if "entrypoint" in service.given else ENTRYPOINT
        words = [*program] or [*entrypoint, *service.command]
        box = self._box(service, words, more)
        network = self.bridge.join(service.name)
        log = self._folder / f"{box.folder.name}.log"
        boxed = network.call(lambda: Boxed(box, log))
        started = Container(service, log, boxed, box, network)
        self.started.append(started)
        return started

    def is_healthy(self, container: Container) -> bool:
        """Whether its health check says so, asked beside it as an engine does within."""
        box = self._box(container.service, container.service.health, ())
        log = self._folder / f"{box.folder.name}.log"
        return container.network.call(lambda: Boxed(box, log)).wait() == 0

    def stop(self, *containers: Container) -> list[int]:
        """SIGTERM to all, as an engine does; their exit codes, each within its grace."""
        for each in containers:
            self.bridge.leave(each.service.name, each.network)
            each.boxed.signal(signal.SIGTERM)
        return [each.boxed.wait(each.service.grace_s) for each in containers]

    def _box(self, service: Service, words: Sequence[str], more: Sequence[Mount]) -> Box:
        self._boxes += 1
        folder = self._folder / f"{service.name}-{self._boxes}"
        scratch = [self._scratch(folder, target) for target in service.tmpfs]
        mounts = [*scratch, *self._mounts(service), *more]
        is_read_only = service.given.get("read_only", False)
        return Box(folder, words, service.environment, mounts, *service.user, is_read_only)

    def _scratch(self, folder: Path, target: str) -> Mount:
        """Stands for a tmpfs: anybody's, and new in each container."""
        made = Path(f"{folder}-tmpfs{target.replace('/', '-')}")
        made.mkdir(mode=0o1777)
        made.chmod(0o1777)
        return Mount(made, target)

    def _mounts(self, service: Service) -> Iterator[Mount]:
        yield Mount(self._folder / "resolv.conf", "/etc/resolv.conf", read_only=True)
        for name in service.secrets:
            yield Mount(self._secrets / name, str(SECRETS / name), read_only=True)
        for mount in service.mounts:
            source = mount.path or self._volume(mount.source)
            yield Mount(source, mount.target, mount.is_read_only)

    def _volume(self, name: str) -> Path:
        """A named volume. An engine gives it the owner that the folder has in the image."""
        volume = self._folder / "volumes" / name
        volume.mkdir(parents=True, exist_ok=True)
        volume.chmod(0o777)
        return volume

    def end(self) -> None:
        for each in self.started:
            each.boxed.kill()


@contextmanager
def containers(folder: Path, secrets: Path) -> Iterator[Containers]:
    """A place to run services in; none outlives it."""
    with bridge() as joined:
        made = Containers(folder, secrets, joined)
        try:
            yield made
        except BaseException:
            for each in made.started:
                print(f"== {each.log.name}\n{each.text()[-3000:]}")
            raise
        finally:
            made.end()
