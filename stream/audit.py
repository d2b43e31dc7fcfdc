"""The ledger of a ``masks`` topic: was every frame that was offered answered, once, in order?

Reads messages in log order and needs memory per camera, epoch and hole, never per frame, so a
billion frames cost no more than a thousand.
"""

from collections import Counter
from dataclasses import dataclass, field

from stream.types import (
    CameraHealth,
    CloseReason,
    EpochClosed,
    EpochOpened,
    Gap,
    GapReason,
    MaskMessage,
    Mode,
    Result,
)


@dataclass
class EpochAudit:
    """One epoch of one camera.

    ``closed`` is the reason of its close; ``offered`` is what that close says, or what was seen.
    ``first`` is the frame that it begins with; not 0 where what came before is no longer read.
    """

    camera: str
    epoch: int
    mode: Mode | None = None
    expected: int | None = None
    first: int = 0
    closed: CloseReason | None = None
    offered: int = 0
    results: int = 0
    gaps: Counter[GapReason] = field(default_factory=Counter)
    duplicates: int = 0
    out_of_order: int = 0
    holes: list[tuple[int, int]] = field(default_factory=list)
    _next: int = 0

    @property
    def missing(self) -> int:
        """Frames that were offered and have no terminal."""
        tail = max(0, self.first + self.offered - self._next) if self.closed else 0
        return tail + sum(last - first + 1 for first, last in self.holes)

    @property
    def lost_of_archive(self) -> int:
        """Frames of a file that were given up for another reason than being undecodable."""
        return self.gaps.total() - self.gaps["dead_letter"] if self.mode == "archive" else 0

    @property
    def beyond(self) -> int:
        """Frames with a terminal that lie beyond what the close says was offered."""
        return max(0, self._next - self.first - self.offered) if self.closed else 0

    @property
    def complete(self) -> bool:
        """Closed, and every frame accounted for."""
        return self.closed is not None and not (self.missing or self.beyond or self.lost_of_archive)

    def begin(self, first: int) -> None:
        """Frames before ``first`` are not looked at."""
        self.first = self._next = first

    def open(self, message: EpochOpened) -> None:
        """The epoch's first record."""
        self.mode = message.mode
        self.expected = message.expected

    def close(self, message: EpochClosed) -> None:
        """The epoch's last record."""
        self.closed = message.reason
        self.offered = message.frames - self.first

    def terminal(self, first: int, last: int) -> int:
        """Enter a terminal for ``first``…``last``; returns how many frames it is the first for."""
        fresh = 0
        if first < self._next:
            upto = min(last, self._next - 1)
            filled = self._fill(first, upto)
            self.out_of_order += filled
            self.duplicates += upto - first + 1 - filled
            fresh += filled
            first = self._next
        if first <= last:
            if first > self._next:
                self.holes.append((self._next, first - 1))
            fresh += last - first + 1
            self._next = last + 1
            if not self.closed:
                self.offered = max(self.offered, self._next - self.first)
        return fresh

    def _fill(self, first: int, last: int) -> int:
        """Close the part of the holes that first…last covers; how many frames that was."""
        kept: list[tuple[int, int]] = []
        filled = 0
        for start, end in self.holes:
            low, high = max(start, first), min(end, last)
            if low > high:
                kept.append((start, end))
                continue
            filled += high - low + 1
            kept += [part for part in ((start, low - 1), (high + 1, end)) if part[0] <= part[1]]
        self.holes = kept
        return filled


class Audit:
    """The audit of a topic.

    ``cut`` says that its beginning is not read: an epoch whose opening is not seen then begins
    with the first frame that is. Otherwise all before that frame is missing.
    """

    def __init__(self, *, cut: bool = False) -> None:
        self._cut = cut
        self._epochs: dict[tuple[str, int], EpochAudit] = {}

    def add(self, message: MaskMessage) -> None:
        """Enter the next message in log order. Health answers no frame."""
        if isinstance(message, CameraHealth):
            return
        key = (message.camera, message.epoch)
        epoch = self._epochs.get(key)
        if epoch is None:
            epoch = self._epochs[key] = EpochAudit(*key)
            if self._cut:
                epoch.begin(_begins(message))
        match message:
            case Result():
                epoch.results += epoch.terminal(message.seq, message.seq)
            case Gap():
                epoch.gaps[message.reason] += epoch.terminal(message.first, message.last)
            case EpochOpened():
                epoch.open(message)
            case EpochClosed():
                epoch.close(message)

    @property
    def epochs(self) -> list[EpochAudit]:
        """All epochs, by camera and number."""
        return [self._epochs[key] for key in sorted(self._epochs)]

    @property
    def missing(self) -> int:
        """Frames without a terminal."""
        return sum(epoch.missing for epoch in self.epochs)

    @property
    def passed(self) -> bool:
        """No frame is missing or beyond its close, and no archive lost one but to a dead letter.

        An epoch without a close is an unclosed tail: it is shown, never called complete, and no
        proof of a loss either, since its camera may still be running.
        """
        return not any(
            epoch.missing or epoch.beyond or epoch.lost_of_archive for epoch in self.epochs
        )


def _begins(message: Result | Gap | EpochOpened | EpochClosed) -> int:
    """The first frame of an epoch of which ``message`` is the first that is read."""
    match message:
        case Result(seq=seq):
            return seq
        case Gap(first=first):
            return first
        case EpochClosed(frames=frames):
            return frames
        case EpochOpened():
            return 0
