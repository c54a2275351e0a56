"""Energy and emissions of production."""

from __future__ import annotations

from tools.tasks.family import Family, Quantity, Refusal, Result
from tools.tasks.refusing import at_most, not_negative, positive
from tools.tasks.samples import decimal, up_to, whole

GHG = "GHG Protocol, A Corporate Accounting and Reporting Standard, revised edition, 2004: activity data * emission factor"


def energy_per_piece(energy: float, pieces: int) -> float:
    """Energy for one piece."""
    if energy < 0 or pieces <= 0:
        raise ValueError("pieces must be positive, and energy not negative")
    return energy / pieces


def co2_per_piece(energy: float, factor: float, pieces: int) -> float:
    """Kilograms of CO2 for one piece; energy in kWh, factor in kg per kWh."""
    if energy < 0 or factor < 0 or pieces <= 0:
        raise ValueError("pieces must be positive, and energy and factor not negative")
    return energy * factor / pieces


def emissions(electricity: float, gas: float, electricity_factor: float, gas_factor: float) -> float:
    """Kilograms of CO2 of electricity and gas; both in kWh, factors in kg per kWh."""
    if min(electricity, gas, electricity_factor, gas_factor) < 0:
        raise ValueError("nothing may be negative")
    return electricity * electricity_factor + gas * gas_factor


def idle_energy_share(total: float, idle_power: float, idle_time: float) -> float:
    """Share of the energy (kWh) that a machine uses while idle; power in kW, time in hours."""
    if total <= 0 or idle_power < 0 or idle_time < 0 or idle_power * idle_time > total:
        raise ValueError("total must be positive, nothing negative, and the idle energy at most the total")
    return idle_power * idle_time / total


def energy_saving(before: float, after: float) -> float:
    """Share of the energy that is saved; negative when more is used."""
    if before <= 0 or after < 0:
        raise ValueError("before must be positive, and after not negative")
    return (before - after) / before


def energy_cost_share(energy_cost: float, total_cost: float) -> float:
    """Share of the cost that is energy."""
    if total_cost <= 0 or energy_cost < 0 or energy_cost > total_cost:
        raise ValueError("total_cost must be positive, and energy_cost between zero and total_cost")
    return energy_cost / total_cost


_ENERGY = Quantity("energy", "energy used", whole(50, 9000, 5), units=("kwh", "mj"))

FAMILIES = (
    Family(
        name="energy_per_piece",
        title="Energy for each piece",
        says="The specific energy consumption is the energy that the production of one piece takes.",
        formula="energy per piece = {energy} / {pieces}. 1 kWh = 3.6 MJ.",
        source="ISO 22400-2:2014, comprehensive energy consumption; ISO 50006:2014 (energy performance "
        "indicators as a ratio)",
        core=energy_per_piece,
        takes=(_ENERGY, Quantity("pieces", "number of pieces made with it", whole(20, 2000), "int")),
        gives=Result("energy per piece", "number", units=("kwh", "mj"), better="lower", digits=(3, 4)),
        refuses=(*not_negative("energy"), *positive("pieces")),
        edges=({"energy": 0}, {"energy": 100, "pieces": 1}),
        tags=("energy",),
        noun="product",
        additive=True,
    ),
    Family(
        name="co2_per_piece",
        title="CO2 emissions of each piece",
        says="The energy used for a piece causes emissions, according to the emission factor of its source.",
        formula="emissions per piece = {energy} * {factor} / {pieces}. 1 kWh = 3.6 MJ.",
        source=GHG,
        core=co2_per_piece,
        takes=(
            _ENERGY,
            Quantity("factor", "emission factor, in kilograms of CO2 for each kWh", decimal(0.02, 0.9, 3)),
            Quantity("pieces", "number of pieces made", whole(20, 2000), "int"),
        ),
        gives=Result("emissions per piece", "number", units=("kg", "grams"), better="lower", digits=(3, 4)),
        refuses=(*not_negative("energy", "factor"), *positive("pieces")),
        edges=({"energy": 0}, {"factor": 0}, {"energy": 100, "factor": 0.5, "pieces": 1}),
        tags=("energy", "co2"),
        noun="product",
    ),
    Family(
        name="site_emissions",
        title="CO2 emissions of electricity and gas",
        says="The emissions of a site are the sum, over its energy sources, of what is used times the emission "
        "factor.",
        formula="emissions = {electricity} * {electricity_factor} + {gas} * {gas_factor}, the energies converted "
        "to kWh "
        "(1 kWh = 3.6 MJ).",
        source=GHG,
        core=emissions,
        takes=(
            Quantity("electricity", "electricity used", whole(0, 90000, 10), units=("kwh", "mwh")),
            Quantity("gas", "gas used", whole(0, 90000, 90), units=("kwh", "mj")),
            Quantity("electricity_factor", "kilograms of CO2 for each kWh of electricity", decimal(0.02, 0.9, 3)),
            Quantity("gas_factor", "kilograms of CO2 for each kWh of gas", decimal(0.18, 0.22, 3)),
        ),
        gives=Result("emissions", "number", units=("kg", "tonnes"), better="lower", digits=(2, 3)),
        refuses=not_negative("electricity", "gas", "electricity_factor", "gas_factor"),
        edges=({"electricity": 0, "gas": 0}, {"gas": 0}),
        tags=("energy", "co2"),
        noun="site",
    ),
    Family(
        name="idle_energy_share",
        title="Share of the energy used while idle",
        says="A machine that stands still but is not switched off uses energy for nothing.",
        formula="share = {idle_power} * idle time in hours ({idle_time}) / {total} in kWh. 1 kWh = 3.6 MJ.",
        source="ISO 14955-1:2017 (energy by operating state of machine tools)",
        core=idle_energy_share,
        takes=(
            Quantity("total", "energy used in all", whole(300, 5000, 50), units=("kwh", "mj")),
            Quantity("idle_power", "power while idle, in kW", decimal(0.2, 12, 1)),
            Quantity("idle_time", "idle time", whole(1, 20), units=("hours", "minutes")),
        ),
        gives=Result("share of idle energy", better="lower", digits=(3, 4), levels=(0.05, 0.2)),
        refuses=(
            *positive("total"),
            *not_negative("idle_power", "idle_time"),
            Refusal("the idle energy is greater than {total}", {"total": 100, "idle_power": 20, "idle_time": 6}),
        ),
        edges=({"idle_time": 0}, {"idle_power": 0}),
        tags=("energy",),
        noun="machine",
    ),
    Family(
        name="energy_saving",
        title="Energy saved",
        says="The saving compares the energy used after a change with that used before.",
        formula="saving = ({before} - {after}) / {before}. It is negative when more is used than before.",
        source="ISO 50006:2014 (improvement against the energy baseline)",
        core=energy_saving,
        takes=(
            Quantity("before", "energy used before", whole(100, 9000, 5), units=("kwh", "mj")),
            Quantity("after", "energy used after, in the same period", whole(50, 8000, 5), units=("kwh",)),
        ),
        gives=Result("saving", better="higher", digits=(2, 3), levels=(0, 0.2)),
        refuses=(*positive("before"), *not_negative("after")),
        edges=({"after": 0}, {"before": 100, "after": 125}),
        tags=("energy", "comparison"),
        noun="machine",
        additive=True,
    ),
    Family(
        name="energy_cost_share",
        title="Energy share of the production cost",
        says="The energy share is the part of the production cost that is paid for energy.",
        formula="energy share = {energy_cost} / {total_cost}.",
        source="ISO 50006:2014 (energy performance indicators as a ratio)",
        core=energy_cost_share,
        takes=(
            Quantity("total_cost", "production cost, in any one currency", whole(5000, 900000, 10)),
            Quantity(
                "energy_cost", "cost of the energy in it, in the same currency", up_to("total_cost", 0, 60000)
            ),
        ),
        gives=Result("energy share", better="lower", digits=(3, 4), levels=(0.05, 0.2)),
        refuses=(
            *positive("total_cost"),
            *not_negative("energy_cost"),
            *at_most("energy_cost", "total_cost", total_cost=100, energy_cost=101),
        ),
        edges=({"energy_cost": 0}, {"total_cost": 5000, "energy_cost": 5000}),
        tags=("energy", "cost"),
        noun="product",
        additive=True,
    ),
)
