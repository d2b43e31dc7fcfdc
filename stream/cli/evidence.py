"""Evidence of alerts: what ``notify`` stores, and ``maskstream evidence purge``."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from connectors.clock import SteadyClock
from connectors.evidence import Artist, Clips, EvidenceStore, Illustrator, keep_purging
from connectors.jpeg import JpegCodec
from stream.cli.embedded import beside
from stream.config import Settings, load
from stream.config.redact import shown
from stream.errors import ConfigError
from stream.evidence import chosen
from stream.evidence_spec import EvidenceSpec
from stream.ports import Clock, Registry, Transport, Window
from stream.rulebook import Rulebook
from stream.specs import Duration
from stream.types import Mode, Size
from stream.views import plan

_duration: TypeAdapter[float] = TypeAdapter(Duration)


@dataclass(frozen=True)
class Illustration:
    """What makes the pictures of alerts, and what their clips."""

    illustrator: Illustrator
    clips: Clips


@asynccontextmanager
async def illustration(
    settings: Settings, rulebook: Rulebook, registry: Registry, transport: Transport, clock: Clock
) -> AsyncIterator[Illustration | None]:
    """What the settings ask for of evidence, if anything; beside it, what is too old is deleted.

    Opened before anything is written, as ``memory://`` keeps frames from then on.
    """
    spec = settings.evidence
    if spec is None:
        yield None
        return
    decode = JpegCodec.of(settings.pictures).decode
    artist = Artist(rulebook, spec.blur, partial(looked, registry, spec.blur), decode)

    def mode(camera: str) -> Mode:
        known = registry.cameras.get(camera)
        return "live" if known is None else known.mode

    async with (
        EvidenceStore(spec, os.environ) as store,
        transport.retained() as retained,
        beside(keep_purging(store, spec.keep, clock)),
    ):
        yield Illustration(
            Illustrator(retained, store, artist, rulebook, mode),
            Clips(retained, store, artist, rulebook, clock),
        )


def looked(
    registry: Registry, labels: Collection[str], camera: str, size: Size
) -> Sequence[Window]:
    """Where in its frames a camera's instances with ``labels`` are found; nowhere where it is not
    known, or does not keep all of them.
    """
    known = registry.cameras.get(camera)
    if known is None or not set(labels) <= set(known.labels or labels):
        return ()
    return plan(known, size)


@dataclass(frozen=True)
class Wanted:
    """What is to be deleted: what fulfils all that is given. Without anything, what is older than
    the configuration keeps.
    """

    older_than: str | None = None
    camera: str | None = None
    alert: str | None = None

    def age_s(self, spec: EvidenceSpec) -> float | None:
        """How long ago it was stored, at least. Raises `ConfigError` for what is no duration."""
        if self.older_than is not None:
            try:
                return _duration.validate_python(self.older_than)
            except ValidationError:
                given = f"--older-than: given {shown(self.older_than)}"
                raise ConfigError(f"{given}; allowed: a duration, as 12h or 30d") from None
        return spec.keep if self.camera is None and self.alert is None else None


def purge(config: Path, wanted: Wanted, dry_run: bool) -> None:
    """Delete evidence and print what, a line for each file; or only print it."""
    spec = load(config, secrets=False).evidence
    if spec is None:
        raise ConfigError(f"{config}: evidence: missing, so none is stored")
    asyncio.run(_purge(spec, wanted, dry_run))


async def _purge(spec: EvidenceSpec, wanted: Wanted, dry_run: bool) -> None:
    age_s = wanted.age_s(spec)
    before_us = None if age_s is None else SteadyClock().now_us() - round(age_s * 1e6)
    async with EvidenceStore(spec, os.environ) as store:
        kept = await store.kept()
        found = chosen(kept, before_us, wanted.camera, wanted.alert)
        if found and not dry_run:
            await store.remove([each.name for each in found])
    for each in found:
        print(each.name)
    if wanted.camera is not None and not chosen(kept, camera=wanted.camera):
        print(f"warning: nothing is there of camera {shown(wanted.camera)}", file=sys.stderr)
    if wanted.alert is not None and not chosen(kept, alert=wanted.alert):
        print(f"warning: nothing is there of alert {shown(wanted.alert)}", file=sys.stderr)
    megabytes = sum(each.size_bytes for each in found) / 1e6
    word = "would be deleted" if dry_run else "deleted"
    print(f"{len(found)} files, {megabytes:.1f} MB, {word} from {spec.store}", file=sys.stderr)
