"""How much is measured: enough for a figure, or just enough to see that it still works."""

from dataclasses import dataclass
from pathlib import Path

from stream.types import Size


@dataclass(frozen=True)
class CardScale:
    """What is tried on a card: ``networks`` by the names of their weights, on pictures that are
    letterboxed to ``shapes`` (height, width), in ``batches`` (powers of two from 1 on) and with so
    many ``workers``; each for ``seconds``. To ``compile`` a network takes minutes.
    """

    networks: tuple[str, ...]
    shapes: tuple[Size, ...]
    batches: tuple[int, ...]
    workers: tuple[int, ...]
    seconds: float
    compile: bool


@dataclass(frozen=True)
class Scale:
    """``rounds`` of ``frames`` each; ``judged`` frames for accuracy; seconds of the demo
    for memory, and of what flows over Kafka, to so many ``segmenters``.

    ``material`` is a folder with ``weights/`` and ``video/``; ``kafka`` is a broker's host:port,
    where there is one, ``rtsp`` that of `make cameras`; at most
    ``most_cameras`` are tried. So many cameras are ``registered`` where processes share them,
    and so many ``alerts`` are waited for. ``card`` is what is tried on a GPU.
    """

    material: Path
    rounds: int
    frames: int
    judged: int
    memory_s: float
    flow_s: float
    segmenters: tuple[int, ...]
    most_cameras: int
    registered: int
    alerts: int
    card: CardScale
    kafka: str | None
    rtsp: str | None

    @property
    def weights(self) -> Path:
        """The YOLOv8n-seg weights that everything runs on."""
        return self.material / "weights" / "yolov8n-seg.pt"

    @property
    def people(self) -> Path:
        """768×432, 10 fps: people come to a table and leave."""
        return self.material / "video" / "one-by-one-person-detection.mp4"

    @property
    def bottles(self) -> Path:
        """640×360, 30 fps: bottles on a conveyor."""
        return self.material / "video" / "bottle-detection.mp4"


def full(material: Path, kafka: str | None, rtsp: str | None) -> Scale:
    """What the published figures come from."""
    return Scale(
        material,
        rounds=5,
        frames=300,
        judged=300,
        memory_s=600,
        flow_s=10,
        segmenters=(1, 2, 4, 8),
        most_cameras=120,
        registered=200,
        alerts=240,
        card=CardScale(
            networks=("yolov8n-seg", "yolov8s-seg", "yolov8m-seg"),
            shapes=((384, 640), (640, 640)),
            batches=(1, 2, 4, 8, 16, 32, 64),
            workers=(1, 2, 4),
            seconds=4.0,
            compile=True,
        ),
        kafka=kafka,
        rtsp=rtsp,
    )


def quick(material: Path, kafka: str | None, rtsp: str | None) -> Scale:
    """A minute or two: shows that every figure can still be taken, proves none."""
    return Scale(
        material,
        rounds=1,
        frames=40,
        judged=40,
        memory_s=20,
        flow_s=3,
        segmenters=(1, 2),
        most_cameras=10,
        registered=20,
        alerts=20,
        card=CardScale(
            networks=("yolov8n-seg",),
            shapes=((384, 640),),
            batches=(1, 2),
            workers=(1,),
            seconds=0.5,
            compile=False,
        ),
        kafka=kafka,
        rtsp=rtsp,
    )
