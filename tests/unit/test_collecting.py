"""What the garbage collector need not look at."""

import gc

from stream.cli.collecting import keep_what_is_loaded


def test_a_full_collection_passes_by_what_was_there_at_the_start() -> None:
    here: list[list[int]] = [[] for _ in range(1000)]
    try:
        keep_what_is_loaded()
        assert gc.get_freeze_count() > len(here)
        assert len(gc.get_objects()) < gc.get_freeze_count() / 10
    finally:
        gc.unfreeze()
