"""What Prometheus says of the offered rate, which is not what it is: scraped, and of a window.

After ``extrapolatedRate`` and ``predict_linear`` of Prometheus 3 (``promql/functions.go``).
"""

import numpy as np
from numpy.typing import NDArray

from stream.errors import ConfigError
from stream.scaling.policy import Forecast


class Offered:
    """The counter of offered frames as it is scraped, every ``scrape_s`` seconds.

    ``offered``: frames of each second, shape (seconds,). Before the first second it was as in it.
    Raises `ConfigError` for a window with fewer than two scrapes: it would have no rate.
    """

    def __init__(self, offered: NDArray[np.float64], scrape_s: int, window_s: int) -> None:
        if window_s < 2 * scrape_s:
            raise ConfigError(
                f"rate window: given {window_s} s; must hold two scrapes, {2 * scrape_s} s or more"
            )
        self._counter = np.concatenate([[0.0], offered.cumsum()])
        self._before = float(offered[0])
        self._scrape_s = scrape_s
        self._rates: dict[int, float] = {}
        self._window_s = window_s

    def rate(self, now_s: int) -> float:
        """``sum(rate(offered[window]))`` at ``now_s``, in frames/s.

        The series is there all day, so what is left of the window is taken to be as what was
        scraped, and the rate is that between the first scrape in it and the last.
        """
        last = self._scraped(now_s)
        count = (last - (now_s - self._window_s) - 1) // self._scrape_s
        first = last - count * self._scrape_s
        return (self._at(last) - self._at(first)) / (last - first)

    def forecast(self, now_s: int, forecast: Forecast) -> float:
        """``predict_linear`` of `rate`, of a subquery over the past, ``ahead_s`` from now."""
        last = now_s - now_s % forecast.step_s
        times = range(last, now_s - forecast.past_s, -forecast.step_s)
        for each in times:
            if each not in self._rates:
                self._rates[each] = self.rate(each)
        rates = np.array([self._rates[each] for each in times])
        off = np.arange(len(times)) * -forecast.step_s + (last - now_s)
        off_mean, mean = off.mean(), rates.mean()
        slope = ((off - off_mean) * (rates - mean)).sum() / ((off - off_mean) ** 2).sum()
        return max(0.0, float(mean + slope * (forecast.ahead_s - off_mean)))

    def _scraped(self, now_s: int) -> int:
        """When it was scraped last: half a turn before each multiple, as good luck is not counted
        on and bad luck is not all there is."""
        return now_s - (now_s + self._scrape_s // 2) % self._scrape_s

    def _at(self, second: int) -> float:
        return float(self._counter[second]) if second >= 0 else second * self._before
