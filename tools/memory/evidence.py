"""How much a count of successes is worth: intervals, and whether a skill does worse than its family.

Wilson's interval: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
Newcombe's: R. G. Newcombe, "Interval estimation for the difference between independent proportions: comparison of
eleven methods", Statistics in Medicine 17 (1998), method 10. The incomplete beta function: NIST DLMF 8.17.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

Z95 = 1.959963984540054
"""The standard normal quantile of a two-sided 95 % interval."""

ENOUGH = 0.5
"""The lower bound at which a candidate's successes count as proof: four of four."""

WORSE = 0.8
"""The probability of doing worse than its family at which a skill is suspended."""

MARGIN = 0.1
"""How much lower a success rate is to be called worse.

Half of all skills are below their family's average: without a margin four of ten that equal it would be suspended
within sixty uses.
"""

STRENGTH = 8.0
"""How many trials the family's rate counts for, before a skill has trials of its own."""

_POWER = 0.8416212335729143  # the standard normal quantile of 0.8
_INTERVALS = 128
_REACH = 8.0
_MOST_TERMS = 10_000
_CLOSE = 1e-14
_TINY = 1e-300


@dataclass(frozen=True)
class Count:
    """Successes among independent trials."""

    won: int
    trials: int

    @property
    def lost(self) -> int:
        """The trials that failed."""
        return self.trials - self.won


def wilson(count: Count, z: float = Z95) -> tuple[float, float]:
    """The score interval of a success rate; (0, 1) without a trial."""
    n = count.trials
    if n == 0:
        return 0.0, 1.0
    rate, square = count.won / n, z * z
    middle = (rate + square / (2 * n)) / (1 + square / n)
    half = z / (1 + square / n) * math.sqrt(rate * (1 - rate) / n + square / (4 * n * n))
    # At the ends the formula is exact, its rounding is not.
    return (0.0 if count.won == 0 else middle - half), (1.0 if count.lost == 0 else middle + half)


def newcombe(treated: Count, control: Count, z: float = Z95) -> tuple[float, float]:
    """The hybrid score interval of the difference of two rates, treated minus control; (-1, 1) without a trial."""
    if treated.trials == 0 or control.trials == 0:
        return -1.0, 1.0
    first, second = treated.won / treated.trials, control.won / control.trials
    (low, high), (other_low, other_high) = wilson(treated, z), wilson(control, z)
    difference = first - second
    below = math.hypot(first - low, other_high - second)
    above = math.hypot(high - first, second - other_low)
    return max(-1.0, difference - below), min(1.0, difference + above)


def trials_needed(low: float, high: float) -> int:
    """So many trials of each of two arms tell one rate from the other with power 0.8, at the level of 0.05, two-sided.

    J. L. Fleiss, B. Levin and M. C. Paik, "Statistical Methods for Rates and Proportions", third edition, chapter 4,
    without the correction for continuity.
    """
    middle = (low + high) / 2
    alike = Z95 * math.sqrt(2 * middle * (1 - middle))
    apart = _POWER * math.sqrt(low * (1 - low) + high * (1 - high))
    return math.ceil(((alike + apart) / (high - low)) ** 2)


def proven(count: Count) -> bool:
    """Tell whether a candidate has shown enough to be active."""
    return wilson(count)[0] >= ENOUGH


def probability_worse(skill: Count, family: Count, *, margin: float = MARGIN, strength: float = STRENGTH) -> float:
    """The probability that a skill's success rate is more than `margin` below its family's.

    `family` counts the trials of the others. Their rate has a Beta(1 + won, 1 + lost) posterior; the skill's is
    shrunk to it: its prior counts for `strength` trials at the family's rate.
    """
    a, b = 1.0 + family.won, 1.0 + family.lost
    rate = a / (a + b)
    own_a, own_b = strength * rate + skill.won, strength * (1 - rate) + skill.lost
    deviation = math.sqrt(rate * (1 - rate) / (a + b + 1))
    low, high = max(margin, rate - _REACH * deviation), min(1.0, rate + _REACH * deviation)
    if low >= high:
        return 0.0
    # Simpson's rule over the part of the family's density that is not negligible.
    step = (high - low) / _INTERVALS
    total = 0.0
    for i in range(_INTERVALS + 1):
        weight = 1 if i in (0, _INTERVALS) else 4 if i % 2 else 2
        at = low + i * step
        total += weight * _density(at, a, b) * beta_cdf(at - margin, own_a, own_b)
    return min(1.0, total * step / 3)


def worse(skill: Count, family: Count) -> bool:
    """Tell whether a skill is to be suspended for what it did; alone, for failing more often than not."""
    if family.trials == 0:
        return wilson(skill)[1] < ENOUGH
    return skill.lost > 0 and probability_worse(skill, family) > WORSE


def beta_cdf(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function: the probability that a Beta(a, b) variable is at most `x`."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    # The fraction converges fast below the mean (DLMF 8.17.22); above it the other tail is taken (8.17.4).
    if x > (a + 1) / (a + b + 2):
        return 1.0 - beta_cdf(1 - x, b, a)
    front = math.exp(a * math.log(x) + b * math.log1p(-x) - _log_beta(a, b)) / a
    return min(1.0, front * _fraction(x, a, b))


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of DLMF 8.17.22, by Lentz's method as modified by Thompson and Barnett (1986)."""
    c, d = 1.0, 1.0 / _away_from_zero(1 - (a + b) * x / (a + 1))
    result = d
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for numerator in (even, odd):
            d = 1.0 / _away_from_zero(1 + numerator * d)
            c = _away_from_zero(1 + numerator / c)
            result *= c * d
        if abs(c * d - 1) < _CLOSE:
            break
    return result


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def _density(x: float, a: float, b: float) -> float:
    if x <= 0 or x >= 1:
        # Only a uniform end has a density there that is neither 0 nor infinite.
        return float((x == 0 and a == 1) * b + (x == 1 and b == 1) * a) if 0 <= x <= 1 else 0.0
    return math.exp((a - 1) * math.log(x) + (b - 1) * math.log1p(-x) - _log_beta(a, b))


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
