"""What a process on ``memory://`` remembers besides its topics: state, and epochs."""

from collections import Counter
from collections.abc import Collection, Mapping

from stream.ports import Begin, State
from stream.specs import CameraSpec


class MemoryStore:
    """State that lives as long as the process; see `stream.ports.Store`."""

    def __init__(self) -> None:
        self._states: dict[str, State] = {}

    async def get(self, keys: Collection[str]) -> Mapping[str, bytes]:
        """As `stream.ports.Store.get`."""
        return {key: self._states[key].value for key in keys if key in self._states}

    async def put(self, states: Mapping[str, State]) -> None:
        """As `stream.ports.Store.put`."""
        for key, state in states.items():
            if key not in self._states or state.version >= self._states[key].version:
                self._states[key] = state


class MemoryEpochs:
    """Epochs of one process: 1, 2, … for each camera; see `stream.ports.Epochs`."""

    def __init__(self) -> None:
        self._last: Counter[str] = Counter()

    async def begin(self, camera: CameraSpec) -> Begin:
        """The next epoch of the camera."""
        self._last[camera.id] += 1
        return Begin(self._last[camera.id])

    async def due(self, _: CameraSpec) -> None:
        """No process comes later."""
