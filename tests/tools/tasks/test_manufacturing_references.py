"""Every manufacturing reference against an example, and against the same formula by another route.

The second formulations are exact fractions, other identities, or the standard library where it knows the answer.
"""

from __future__ import annotations

import math
import statistics
from fractions import Fraction
from functools import reduce
from itertools import pairwise

import pytest
from proofs import Proof, check

from tools.tasks.registry import DOMAINS

NORMAL = statistics.NormalDist()
OEE_COM = "oee.com, Calculating OEE: 420 min planned, 47 min stops, 1.0 s, 19,271 pieces of which 423 bad"
NIST = "NIST/SEMATECH e-Handbook of Statistical Methods"
MONTGOMERY = "Montgomery, Introduction to Statistical Quality Control"


def exact(value: float) -> Fraction:
    """The decimal number as it is written."""
    return Fraction(str(value))


def part(of: float, whole: float) -> float:
    """A share, exactly."""
    return float(exact(of) / exact(whole))


def left(lost: float, whole: float) -> float:
    """What a loss leaves, exactly."""
    return float(1 - exact(lost) / exact(whole))


def oee(planned: float, downtime: float, ideal_cycle: float, total: int, defects: int) -> float:
    """Good pieces at the ideal cycle over the planned time: the factors' run time and total cancel out."""
    if downtime >= planned:
        raise ValueError
    return float(exact(ideal_cycle) * (total - defects) / (exact(planned) * 60))


def survival(mtbf: float, mission: float, failing: bool) -> float:
    """As a power of e."""
    value = math.pow(math.e, -mission / mtbf)
    return 1 - value if failing else value


def parallel_chance(availabilities: list[float], parallel: bool) -> float:
    """By adding one unit after the other."""
    if not parallel:
        return float(reduce(lambda a, b: a * exact(b), availabilities, Fraction(1)))
    return float(reduce(lambda a, b: a + (1 - a) * exact(b), availabilities, Fraction(0)))


def abc(usage: dict[str, float]) -> dict[str, str]:
    """Class of each item from the exact share of what is before it."""
    ordered = sorted(usage.items(), key=lambda item: item[0])
    ordered.sort(key=lambda item: item[1], reverse=True)
    total = sum(usage.values())
    classes = {}
    for i, (name, _) in enumerate(ordered):
        share = Fraction(sum(value for _, value in ordered[:i]), total)
        classes[name] = "A" if share < Fraction(4, 5) else "B" if share < Fraction(19, 20) else "C"
    return classes


def limits(centre: float, width: float) -> dict[str, float]:
    return {"lower": centre - width, "centre": centre, "upper": centre + width}


def spread_of_groups(subgroups: list[list[float]]) -> tuple[float, float]:
    """Mean of all values, and mean of the ranges."""
    ranges = [max(b - a for a in group for b in group) for group in subgroups]
    return statistics.fmean(v for group in subgroups for v in group), statistics.fmean(ranges)


def smooth(values: list[float], alpha: float) -> float:
    """As a weighted sum of all values, not step by step."""
    n = len(values) - 1
    total = (1 - alpha) ** n * values[0]
    return total + sum(alpha * (1 - alpha) ** (n - i) * values[i] for i in range(1, n + 1))


def mape(actual: list[float], forecast: list[float], skip_zero: bool) -> float:
    pairs = [(a, f) for a, f in zip(actual, forecast, strict=True) if a or not skip_zero]
    if not pairs or any(a == 0 for a, _ in pairs):
        raise ValueError
    return float(sum(abs(1 - Fraction(f) / Fraction(a)) for a, f in pairs) / len(pairs))


def line_rate(stations: list[dict[str, float]], effective: bool) -> float:
    """From the longest time for one piece."""
    if effective and any(s["uptime"] == 0 for s in stations):
        return 0.0
    return 3600 / max(s["cycle"] / s["machines"] / (s["uptime"] if effective else 1) for s in stations)


def standard(observed: float, rating: float, allowance: float, of_work: bool) -> float:
    normal = exact(observed) * exact(rating)
    return float(normal + normal * exact(allowance) if of_work else normal / (1 - exact(allowance)))


def balanced(station_times: list[float]) -> float:
    """1 minus the balance delay: the idle time over the time of all stations."""
    if not any(station_times):
        raise ValueError
    idle = sum(max(station_times) - time for time in station_times)
    return 1 - idle / (len(station_times) * max(station_times))


def interrupted(production: float, stops: float) -> float:
    if not production + stops:
        raise ValueError
    return left(stops, production + stops)


PROOFS = {
    "availability": Proof(
        {"planned": 420, "downtime": 47}, 0.8881, lambda planned, downtime: left(downtime, planned), OEE_COM, 1e-4
    ),
    "performance_rate": Proof(
        {"run_time": 373, "ideal_cycle": 1.0, "pieces": 19271},
        0.8611,
        lambda run_time, ideal_cycle, pieces, capped: (lambda rate: 1.0 if capped and rate > 1 else rate)(
            pieces / (run_time * 60 / ideal_cycle)
        ),
        OEE_COM,
        1e-4,
    ),
    "quality_rate": Proof(
        {"total": 19271, "defects": 423}, 0.9780, lambda total, defects: left(defects, total), OEE_COM, 1e-4
    ),
    "oee": Proof(
        {"planned": 420, "downtime": 47, "ideal_cycle": 1.0, "total": 19271, "defects": 423},
        0.7479,
        oee,
        OEE_COM,
        1e-4,
    ),
    "oee_of_factors": Proof(
        {"availability": 0.9, "performance": 0.95, "quality": 0.999},
        0.854145,
        lambda availability, performance, quality: (
            math.exp(sum(map(math.log, f))) if all(f := (availability, performance, quality)) else 0.0
        ),
        "Nakajima's ideal conditions: 90 %, 95 % and 99.9 % give 85 %",
    ),
    "teep": Proof(
        {"calendar": 24, "planned": 720, "downtime": 72, "ideal_cycle": 6, "total": 6000, "defects": 300},
        0.95 * 36000 / 86400,
        lambda calendar, planned, downtime, ideal_cycle, total, defects: (
            oee(planned, downtime, ideal_cycle, total, defects) * planned / calendar / 60
        ),
    ),
    "loading": Proof({"calendar": 168, "planned": 84}, 0.5, lambda calendar, planned: part(planned, calendar)),
    "technical_efficiency": Proof({"production": 90, "stops": 10}, 0.9, interrupted),
    "good_pieces_for_oee": Proof(
        {"planned": 480, "ideal_cycle": 30, "oee": 0.85},
        816,
        lambda planned, ideal_cycle, oee: float(exact(oee) * exact(planned) * 60 / exact(ideal_cycle)),
    ),
    "takt_time": Proof(
        {"available": 450, "demand": 460},
        27000 / 460 / 60,
        lambda available, demand: part(available, demand),
        "Rother and Shook: 27,000 s for 460 pieces, 59 s",
    ),
    "demand_at_takt": Proof(
        {"available": 450, "takt": 60}, 450, lambda available, takt: float(exact(available) / (exact(takt) / 60))
    ),
    "cycle_time": Proof(
        {"run_time": 60, "pieces": 40}, 1.5, lambda run_time, pieces: 1 / (pieces / run_time) if run_time else 0.0
    ),
    "throughput_rate": Proof({"pieces": 90, "elapsed": 1.5}, 60, lambda pieces, elapsed: part(pieces, elapsed)),
    "work_in_process": Proof(
        {"throughput": 20, "lead_time": 2.5},
        50,
        lambda throughput, lead_time: float(exact(throughput) * exact(lead_time)),
    ),
    "lead_time": Proof({"wip": 50, "throughput": 20}, 2.5, lambda wip, throughput: part(wip, throughput)),
    "machine_utilisation": Proof(
        {"available": 480, "busy": 360}, 0.75, lambda available, busy: left(available - busy, available)
    ),
    "capacity": Proof(
        {"machines": 4, "scheduled": 40, "efficiency": 0.9, "cycle": 36},
        14400,
        lambda machines, scheduled, efficiency, cycle: float(
            exact(machines) * exact(scheduled) * exact(efficiency) / (exact(cycle) / 3600)
        ),
    ),
    "machines_needed": Proof(
        {"demand": 1000, "cycle": 90, "available": 40, "efficiency": 0.8},
        0.78125,
        lambda demand, cycle, available, efficiency: float(
            Fraction(demand) / (exact(available) * 3600 / exact(cycle) * exact(efficiency))
        ),
    ),
    "process_cycle_efficiency": Proof(
        {"value_added": 30, "lead_time": 10}, 0.05, lambda value_added, lead_time: part(value_added, lead_time * 60)
    ),
    "balance_efficiency": Proof({"station_times": [10, 8, 12]}, 30 / 36, balanced),
    "smoothness_index": Proof(
        {"station_times": [5, 2, 1]},
        5,
        lambda station_times: math.dist([max(station_times)] * len(station_times), station_times),
    ),
    "fewest_stations": Proof(
        {"task_times": [30, 40, 20], "takt": 40},
        2.25,
        lambda task_times, takt: math.fsum(time / takt for time in task_times),
    ),
    "bottleneck": Proof(
        {"stations": {"saw": 5, "mill": 9, "drill": 9}},
        "drill",
        lambda stations: next(
            name for name in sorted(stations) if all(stations[name] >= time for time in stations.values())
        ),
    ),
    "line_rate": Proof(
        {"stations": [{"cycle": 36, "machines": 1, "uptime": 0.9}, {"cycle": 60, "machines": 2, "uptime": 1}]},
        100,
        line_rate,
    ),
    "changeover_loss": Proof(
        {"changeovers": 4, "each": 30, "available": 16},
        0.125,
        lambda changeovers, each, available: float(Fraction(changeovers) * exact(each) / 60 / exact(available)),
    ),
    "changeover_gain": Proof(
        {"before": 60, "after": 12, "changeovers": 10},
        480,
        lambda before, after, changeovers: before * changeovers - after * changeovers,
    ),
    "setup_ratio": Proof({"busy": 400, "setup": 50}, 0.125, lambda busy, setup: left(busy - setup, busy)),
    "setup_time_per_piece": Proof({"setup": 45, "lot": 90}, 0.5, lambda setup, lot: part(setup, lot)),
    "smallest_lot": Proof(
        {"setup": 30, "cycle": 60, "most_share": 0.1},
        270,
        lambda setup, cycle, most_share: float(
            (exact(setup) * 60 / exact(most_share) - exact(setup) * 60) / exact(cycle)
        ),
    ),
    "lot_time": Proof(
        {"setup": 30, "lot": 60, "cycle": 90},
        120,
        lambda setup, lot, cycle: float((exact(setup) * 60 + lot * exact(cycle)) / 60),
    ),
    "every_part_every_interval": Proof(
        {"available": 480, "run_time": 420, "setup_all": 150},
        2.5,
        lambda available, run_time, setup_all: part(setup_all, available - run_time),
    ),
    "scrap_rate": Proof(
        {"produced": 200, "scrapped": 5}, 0.025, lambda produced, scrapped: left(produced - scrapped, produced)
    ),
    "rework_rate": Proof(
        {"produced": 200, "reworked": 5}, 0.025, lambda produced, reworked: left(produced - reworked, produced)
    ),
    "dpmo": Proof(
        {"defects": 34, "units": 750, "opportunities": 10},
        4533.333333333333,
        lambda defects, units, opportunities: float(Fraction(defects, opportunities) / units * 10**6),
    ),
    "defects_per_unit": Proof({"defects": 15, "units": 120}, 0.125, lambda defects, units: part(defects, units)),
    "sigma_level": Proof(
        {"dpmo": 3.4},
        6.0,
        lambda dpmo, shift: shift - NORMAL.inv_cdf(dpmo / 1e6),
        "the customary table: 3.4 DPMO is 6 sigma",
        1e-3,
    ),
    "cost_of_quality_share": Proof(
        {"prevention": 10, "appraisal": 30, "internal": 40, "external": 20},
        0.6,
        lambda prevention, appraisal, internal, external, failures: left(
            *(
                (prevention + appraisal, prevention + appraisal + internal + external)
                if failures
                else (internal + external, prevention + appraisal + internal + external)
            )
        ),
    ),
    "scrap_cost": Proof(
        {"scrapped": 10, "material": 5, "work": 3, "scrap_value": 1},
        70,
        lambda scrapped, material, work, scrap_value: float(
            scrapped * (exact(material) + exact(work) - exact(scrap_value))
        ),
    ),
    "parts_per_million": Proof(
        {"delivered": 40000, "defective": 3},
        75,
        lambda delivered, defective: float(Fraction(defective * 10**6, delivered)),
    ),
    "first_pass_yield": Proof(
        {"started": 100, "scrapped": 5, "reworked": 10},
        0.85,
        lambda started, scrapped, reworked: left(scrapped + reworked, started),
    ),
    "final_yield": Proof(
        {"started": 100, "scrapped": 5}, 0.95, lambda started, scrapped: part(started - scrapped, started)
    ),
    "rolled_throughput_yield": Proof(
        {"yields": [0.98, 0.93, 0.95]},
        0.86583,
        lambda yields: float(reduce(lambda a, b: a * exact(b), yields, Fraction(1))),
    ),
    "normalised_yield": Proof(
        {"yields": [0.25, 1]},
        0.5,
        lambda yields: statistics.geometric_mean(yields) if all(yields) else 0.0,
    ),
    "yield_from_defects": Proof(
        {"defects": 20, "units": 20},
        0.36787944117144233,
        lambda defects, units: 1 / math.e ** (defects / units),
        "e to the power of -1",
    ),
    "pieces_to_start": Proof(
        {"good": 900, "scrap": 0.1}, 1000, lambda good, scrap: float(good / (1 - exact(scrap)))
    ),
    "process_capability_cp": Proof(
        {"lower": 8, "upper": 20, "sigma": 2},
        1.0,
        lambda lower, upper, sigma: float((exact(upper) - exact(lower)) / exact(sigma) / 6),
        f"{NIST}, 6.1.6",
    ),
    "process_capability_cpk": Proof(
        {"lower": 8, "upper": 20, "mean": 16, "sigma": 2},
        0.6667,
        # Cpk = Cp * (1 - k) with k the distance from the middle over half the width
        lambda lower, upper, mean, sigma: float(
            (exact(upper) - exact(lower))
            / (6 * exact(sigma))
            * (1 - abs(exact(mean) - (exact(upper) + exact(lower)) / 2) / ((exact(upper) - exact(lower)) / 2))
        ),
        f"{NIST}, 6.1.6",
        1e-4,
    ),
    "process_capability_cpm": Proof(
        {"lower": 8, "upper": 20, "mean": 14, "sigma": 3, "nominal": 10},
        0.4,
        lambda lower, upper, mean, sigma, nominal: (upper - lower) / (6 * math.hypot(sigma, mean - nominal)),
    ),
    "process_performance_pp": Proof(
        {"values": [9, 10, 11], "lower": 4, "upper": 16},
        2.0,
        lambda values, lower, upper: (upper - lower) / (6 * statistics.stdev(values)),
    ),
    "process_performance_ppk": Proof(
        {"values": [9, 10, 11], "lower": 4, "upper": 15},
        5 / 3,
        lambda values, lower, upper: min(
            (upper - statistics.fmean(values)) / 3 / statistics.stdev(values),
            (statistics.fmean(values) - lower) / 3 / statistics.stdev(values),
        ),
    ),
    "mean_chart_limits": Proof(
        {"subgroups": [[74.0, 74.01, 74.02, 74.0, 73.99], [74.01, 73.99, 74.0, 74.01, 74.0]]},
        limits(74.003, 0.577 * 0.025),
        lambda subgroups: limits(
            (found := spread_of_groups(subgroups))[0],
            {2: 1.880, 3: 1.023, 4: 0.729, 5: 0.577, 6: 0.483}[len(subgroups[0])] * found[1],
        ),
        f"{MONTGOMERY}, appendix VI: A2 = 0.577 for n = 5",
    ),
    "range_chart_limits": Proof(
        {"subgroups": [[1.0, 3.0, 2.0, 2.0, 2.0], [4.0, 4.0, 2.0, 3.0, 2.0]]},
        {"lower": 0.0, "centre": 2.0, "upper": 4.228},
        lambda subgroups: {
            "lower": 0.0,
            "centre": (mean := spread_of_groups(subgroups)[1]),
            "upper": mean * {2: 3.267, 3: 2.574, 4: 2.282, 5: 2.114, 6: 2.004}[len(subgroups[0])],
        },
        f"{MONTGOMERY}, appendix VI: D4 = 2.114 for n = 5",
    ),
    "fraction_chart_limits": Proof(
        {"defective": 347, "samples": 30, "size": 50},
        {"lower": 0.0524, "centre": 0.2313, "upper": 0.4102},
        lambda defective, samples, size: {
            "lower": max((p := defective / samples / size) - (w := 3 * (p * (1 - p)) ** 0.5 / size**0.5), 0),
            "centre": p,
            "upper": min(p + w, 1),
        },
        f"{MONTGOMERY}, example 7.1",
        2e-3,
    ),
    "count_chart_limits": Proof(
        {"defects": 516, "samples": 26},
        {"lower": 6.48, "centre": 19.85, "upper": 33.22},
        lambda defects, samples: {
            "lower": max((root := (defects / samples) ** 0.5) * (root - 3), 0),
            "centre": root * root,
            "upper": root * (root + 3),
        },
        f"{MONTGOMERY}, example 7.3",
        1e-3,
    ),
    "individuals_limits": Proof(
        {"values": [10.0, 14.0]},
        limits(12.0, 10.64),
        lambda values: limits(
            statistics.fmean(values),
            2.66 * statistics.fmean(max(p) - min(p) for p in pairwise(values)),
        ),
    ),
    "mtbf": Proof({"operating": 480, "failures": 4}, 120, lambda operating, failures: part(operating, failures)),
    "mttr": Proof({"repair": 90, "repairs": 4}, 22.5, lambda repair, repairs: part(repair, repairs)),
    "failure_rate": Proof(
        {"failures": 6, "operating": 24}, 0.25, lambda failures, operating: part(failures, operating)
    ),
    "inherent_availability": Proof(
        {"mtbf": 24, "mttr": 8}, 0.75, lambda mtbf, mttr: float(1 / (1 + exact(mttr) / exact(mtbf)))
    ),
    "mtbf_for_availability": Proof(
        {"mttr": 8, "availability": 0.75},
        24,
        lambda mttr, availability: float(exact(mttr) / (1 / exact(availability) - 1)) if availability else 0.0,
    ),
    "reliability": Proof({"mtbf": 100, "mission": 100}, 0.36787944117144233, survival, "e to the power of -1"),
    "system_availability": Proof({"availabilities": [0.9, 0.8]}, 0.72, parallel_chance),
    "maintenance_cost_ratio": Proof(
        {"cost": 3000, "asset_value": 120000}, 0.025, lambda cost, asset_value: part(cost, asset_value)
    ),
    "corrective_maintenance": Proof(
        {"corrective": 30, "preventive": 90},
        0.25,
        lambda corrective, preventive: left(preventive, corrective + preventive),
    ),
    "downtime_cost": Proof(
        {"downtime": 2, "rate": 100, "margin": 1.5, "wages": 50},
        400,
        lambda downtime, rate, margin, wages: float(
            exact(downtime) * exact(rate) * exact(margin) + exact(downtime) * exact(wages)
        ),
    ),
    "maintenance_compliance": Proof(
        {"planned": 40, "done": 30}, 0.75, lambda planned, done: left(planned - done, planned)
    ),
    "inventory_turns": Proof(
        {"cost": 12000, "opening": 1000, "closing": 3000},
        6,
        lambda cost, opening, closing: float(Fraction(2 * cost, opening + closing)),
    ),
    "days_of_inventory": Proof(
        {"stock": 20000, "cost": 60000, "period": 30},
        10,
        lambda stock, cost, period: float(Fraction(stock * period, cost)),
    ),
    "fill_rate": Proof({"ordered": 80, "short": 4}, 0.95, lambda ordered, short: left(short, ordered)),
    "stock_accuracy": Proof(
        {"counts": [{"recorded": 100, "counted": 102}, {"recorded": 100, "counted": 95}], "tolerance": 0.027},
        0.5,
        lambda counts, tolerance: (
            sum(
                item["recorded"] * (1 - exact(tolerance))
                <= item["counted"]
                <= item["recorded"] * (1 + exact(tolerance))
                for item in counts
            )
            / len(counts)
        ),
    ),
    "abc_classes": Proof({"usage": {"x": 80, "y": 15, "z": 5}}, {"x": "A", "y": "B", "z": "C"}, abc),
    "economic_order_quantity": Proof(
        {"demand": 1000, "order_cost": 10, "holding": 0.5},
        200,
        lambda demand, order_cost, holding: 2**0.5 * (demand / holding) ** 0.5 * order_cost**0.5,
    ),
    "economic_production_quantity": Proof(
        {"demand": 1000, "rate": 2000, "setup_cost": 10, "holding": 1},
        200,
        lambda demand, rate, setup_cost, holding: (
            (2 * demand * setup_cost / holding) ** 0.5 * (rate / (rate - demand)) ** 0.5
        ),
    ),
    "stock_cost": Proof(
        {"demand": 1000, "quantity": 200, "order_cost": 10, "holding": 0.5},
        100,
        lambda demand, quantity, order_cost, holding: float(
            (2 * Fraction(demand) * exact(order_cost) + Fraction(quantity) ** 2 * exact(holding)) / (2 * quantity)
        ),
        "by hand; at the EOQ both parts are equal",
    ),
    "safety_stock": Proof(
        {"factor": 2, "sigma": 10, "lead_time": 4},
        40,
        lambda factor, sigma, lead_time: factor * (lead_time * sigma**2) ** 0.5,
    ),
    "reorder_point": Proof(
        {"daily_demand": 20, "lead_time": 5, "safety": 40},
        140,
        lambda daily_demand, lead_time, safety: float(exact(daily_demand) * lead_time + safety),
    ),
    "reorder_point_from_spread": Proof(
        {"daily_demand": 20, "sigma": 10, "lead_time": 4, "factor": 2},
        120,
        lambda daily_demand, sigma, lead_time, factor: (
            daily_demand * lead_time + factor * math.hypot(*[sigma] * lead_time)
        ),
    ),
    "kanban_count": Proof(
        {"demand": 2000, "lead_time": 0.4, "safety": 0.1, "container": 200},
        4.4,
        lambda demand, lead_time, safety, container: float(
            exact(demand) * exact(lead_time) * (1 + exact(safety)) / container
        ),
        "Krajewski and Ritzman, Operations Management: 2,000 a day, 0.4 days, 10 %, 200 in a container: 4.4, so 5",
    ),
    "containers_needed": Proof(
        {"pieces": 100, "container": 40}, 2.5, lambda pieces, container: float(Fraction(pieces, container))
    ),
    "energy_per_piece": Proof({"energy": 300, "pieces": 1200}, 0.25, lambda energy, pieces: part(energy, pieces)),
    "co2_per_piece": Proof(
        {"energy": 1000, "factor": 0.4, "pieces": 800},
        0.5,
        lambda energy, factor, pieces: float(exact(energy) / pieces * exact(factor)),
    ),
    "site_emissions": Proof(
        {"electricity": 1000, "gas": 2000, "electricity_factor": 0.4, "gas_factor": 0.2},
        800,
        lambda electricity, gas, electricity_factor, gas_factor: float(
            exact(electricity) * exact(electricity_factor) + exact(gas) * exact(gas_factor)
        ),
    ),
    "idle_energy_share": Proof(
        {"total": 400, "idle_power": 5, "idle_time": 8},
        0.1,
        lambda total, idle_power, idle_time: float(exact(idle_power) / exact(total) * exact(idle_time)),
    ),
    "energy_saving": Proof({"before": 400, "after": 300}, 0.25, lambda before, after: left(after, before)),
    "energy_cost_share": Proof(
        {"total_cost": 400, "energy_cost": 50}, 0.125, lambda total_cost, energy_cost: part(energy_cost, total_cost)
    ),
    "labour_productivity": Proof(
        {"pieces": 400, "workers": 5, "worked_each": 8},
        10,
        lambda pieces, workers, worked_each: float(pieces / workers / exact(worked_each)),
    ),
    "labour_effectiveness": Proof(
        {"scheduled": 900, "worked": 780, "expected": 650, "made": 650, "good": 650},
        0.8667,
        # the number of pieces made cancels out
        lambda scheduled, worked, expected, made, good: float(
            exact(worked) / exact(scheduled) * Fraction(good, expected)
        ),
        "Kronos, OLE: 780 of 900 minutes are an availability of 86.67 %",
        1e-4,
    ),
    "worker_efficiency": Proof(
        {"attendance": 480, "working": 360},
        0.75,
        lambda attendance, working: left(attendance - working, attendance),
    ),
    "absence_rate": Proof(
        {"planned": 160, "absent": 8}, 0.05, lambda planned, absent: left(planned - absent, planned)
    ),
    "learning_curve_time": Proof(
        {"first": 100, "unit": 4, "rate": 0.8},
        64,
        lambda first, unit, rate: first * rate ** math.log2(unit),
        "Wright: two doublings at 80 %",
    ),
    "learning_curve_total": Proof(
        {"first": 100, "units": 4, "rate": 0.8},
        314.21,
        lambda first, units, rate: math.fsum(first * rate ** math.log2(n) for n in range(1, units + 1)),
        "the customary table of 80 % learning: 3.142 for 4 units",
        1e-4,
    ),
    "unit_labour_cost": Proof(
        {"workers": 2, "worked_each": 8, "wage": 20, "pieces": 320},
        1,
        lambda workers, worked_each, wage, pieces: float(
            Fraction(workers, pieces) * exact(worked_each) * exact(wage)
        ),
    ),
    "workers_needed": Proof(
        {"pieces": 960, "standard": 5, "worked_each": 40, "efficiency": 0.8},
        2.5,
        lambda pieces, standard, worked_each, efficiency: float(
            pieces * exact(standard) / (exact(worked_each) * 60) / exact(efficiency)
        ),
    ),
    "standard_time": Proof({"observed": 2, "rating": 1.1, "allowance": 0.1}, 2.42, standard),
    "on_time_delivery": Proof({"orders": 80, "late": 4}, 0.95, lambda orders, late: left(late, orders)),
    "schedule_attainment": Proof(
        {"scheduled": [10, 10], "made": [20, 5]},
        0.75,
        lambda scheduled, made: left(
            sum(max(plan - real, 0) for plan, real in zip(scheduled, made, strict=True)), sum(scheduled)
        ),
    ),
    "perfect_order_rate": Proof(
        {"on_time": 0.95, "complete": 0.95, "undamaged": 0.95, "documented": 0.95},
        0.81450625,
        lambda **shares: float(reduce(lambda a, b: a * exact(b), shares.values(), Fraction(1))),
        "0.95 four times: 81 %",
    ),
    "moving_average": Proof(
        {"values": [3, 5, 10], "window": 2},
        7.5,
        lambda values, window: statistics.fmean(reversed(list(reversed(values))[:window])),
    ),
    "weighted_moving_average": Proof(
        {"values": [10, 20, 30], "weights": [1, 2, 3]},
        140 / 6,
        lambda values, weights: statistics.fmean(values[len(values) - len(weights) :], weights=weights),
    ),
    "exponential_smoothing": Proof(
        {"values": [71, 70, 69, 68, 64, 65, 72, 78, 75, 75, 75, 70], "alpha": 0.1},
        71.50,
        smooth,
        f"{NIST}, 6.4.3.1 and 6.4.3.2",
        1e-3,
    ),
    "forecast_percentage_error": Proof({"actual": [100, 50], "forecast": [90, 60]}, 0.15, mape),
    "forecast_error": Proof(
        {"actual": [10, 20], "forecast": [13, 16]},
        3.5,
        lambda actual, forecast, squared: statistics.fmean(
            (f - a) ** 2 if squared else max(f - a, a - f) for a, f in zip(actual, forecast, strict=True)
        ),
    ),
    "tracking_signal": Proof(
        {"actual": [10, 20], "forecast": [8, 16]},
        2,
        lambda actual, forecast: (
            (sum(actual) - sum(forecast))
            * len(actual)
            / sum(abs(f - a) for a, f in zip(actual, forecast, strict=True))
        ),
    ),
    "forecast_bias": Proof(
        {"actual": [10, 20], "forecast": [13, 21]},
        2,
        lambda actual, forecast: statistics.fmean(forecast) - statistics.fmean(actual),
    ),
}
FAMILIES = {family.name: family for family in DOMAINS["manufacturing"]}


def test_every_family_has_a_proof() -> None:
    assert set(PROOFS) == set(FAMILIES)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_reference_agrees_with_its_example_and_with_the_same_formula_by_another_route(name: str) -> None:
    check(FAMILIES[name], PROOFS[name])
