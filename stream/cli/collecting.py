"""What the garbage collector need not look at."""

import gc


def keep_what_is_loaded() -> None:
    """Take what is there after the start, and stays, out of the collector's sight.

    Else every full collection walks through all of it, which stops a role for 90 ms: that was what
    the slowest hundredth of alerts waited for.
    """
    gc.collect()
    gc.freeze()
