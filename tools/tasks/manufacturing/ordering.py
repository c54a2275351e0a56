"""How much to order, and when: order quantities, safety stock, reorder points and kanbans."""

from __future__ import annotations

import math

from tools.tasks.family import Family, Quantity, Refusal, Result
from tools.tasks.refusing import not_negative, positive
from tools.tasks.samples import decimal, one_of, whole

SILVER = (
    "E. A. Silver, D. F. Pyke, R. Peterson, Inventory Management and Production Planning and Scheduling, "
    "3rd edition, Wiley, 1998"
)
MONDEN = "Y. Monden, Toyota Production System, 4th edition, CRC Press, 2011"


def economic_order_quantity(demand: float, order_cost: float, holding: float) -> float:
    """Square root of twice demand times order cost over holding cost."""
    if demand < 0 or order_cost < 0 or holding <= 0:
        raise ValueError("holding must be positive, and demand and order_cost not negative")
    return math.sqrt(2 * demand * order_cost / holding)


def economic_production_quantity(demand: float, rate: float, setup_cost: float, holding: float) -> float:
    """The order quantity when the lot arrives at a finite production rate."""
    if demand < 0 or setup_cost < 0 or holding <= 0 or rate <= demand:
        raise ValueError("holding must be positive, demand and setup_cost not negative, rate greater than demand")
    return math.sqrt(2 * demand * setup_cost / (holding * (1 - demand / rate)))


def stock_cost(demand: float, quantity: float, order_cost: float, holding: float) -> float:
    """Yearly cost of ordering and holding at an order quantity."""
    if demand < 0 or order_cost < 0 or holding < 0 or quantity <= 0:
        raise ValueError("quantity must be positive, and nothing else negative")
    return demand / quantity * order_cost + quantity / 2 * holding


def safety_stock(factor: float, sigma: float, lead_time: float) -> float:
    """Safety factor times the standard deviation of the demand over the lead time (days)."""
    if factor < 0 or sigma < 0 or lead_time < 0:
        raise ValueError("nothing may be negative")
    return factor * sigma * math.sqrt(lead_time)


def reorder_point(daily_demand: float, lead_time: float, safety: float) -> float:
    """Demand over the lead time (days) plus the safety stock."""
    if daily_demand < 0 or lead_time < 0 or safety < 0:
        raise ValueError("nothing may be negative")
    return daily_demand * lead_time + safety


def reorder_point_with_sigma(daily_demand: float, sigma: float, lead_time: float, factor: float) -> float:
    """Demand over the lead time plus the safety stock that follows from its spread."""
    if daily_demand < 0:
        raise ValueError("daily_demand must not be negative")
    return reorder_point(daily_demand, lead_time, safety_stock(factor, sigma, lead_time))


def kanban_count(demand: float, lead_time: float, safety: float, container: int) -> float:
    """Demand over the lead time with its reserve, in containers; demand per hour, lead time in hours."""
    if demand < 0 or lead_time < 0 or safety < 0 or container <= 0:
        raise ValueError("container must be positive, and nothing else negative")
    return demand * lead_time * (1 + safety) / container


def containers_needed(pieces: int, container: int) -> float:
    """Pieces in containers."""
    if pieces < 0 or container <= 0:
        raise ValueError("container must be positive, and pieces not negative")
    return pieces / container


_LEAD_TIME = Quantity("lead_time", "replenishment lead time", whole(1, 40), units=("days", "hours"))
_FACTOR = Quantity(
    "factor", "safety factor (the normal quantile of the service level)", one_of(0, 0.84, 1.28, 1.645, 2.05, 2.33)
)
_SIGMA = Quantity("sigma", "standard deviation of the daily demand, in pieces", decimal(0, 60, 1))
_DAILY = Quantity("daily_demand", "mean demand of one day, in pieces", decimal(0.5, 400, 1))
_DEMAND = Quantity("demand", "demand of a year, in pieces", whole(100, 50000))
_ORDER_COST = Quantity("order_cost", "cost of one order, in any one currency", decimal(5, 200, 2))
_HOLDING = Quantity(
    "holding", "cost of holding one piece in stock for a year, in the same currency", decimal(0.2, 30, 2)
)

FAMILIES = (
    Family(
        name="economic_order_quantity",
        title="Economic order quantity (EOQ)",
        says="The economic order quantity is the one at which ordering and holding together cost least.",
        formula="EOQ = square root of (2 * {demand} * {order_cost} / {holding}).",
        source=f"F. W. Harris, How many parts to make at once, Factory, The Magazine of Management 10(2), 1913; "
        f"{SILVER}, chapter 5",
        core=economic_order_quantity,
        takes=(_DEMAND, _ORDER_COST, _HOLDING),
        gives=Result("economic order quantity", "number", unit="pieces", digits=(0, 1, 2)),
        refuses=(*not_negative("demand", "order_cost"), *positive("holding")),
        edges=({"demand": 0}, {"demand": 1000, "order_cost": 10, "holding": 0.5}),
        tags=("stock", "lot"),
        noun="item",
    ),
    Family(
        name="economic_production_quantity",
        title="Economic production quantity",
        says="Where a lot does not arrive at once but at a production rate, the economic quantity is larger than "
        "the EOQ.",
        formula="quantity = square root of (2 * {demand} * {setup_cost} / ({holding} * (1 - {demand} / {rate}))).",
        source=f"{SILVER}, chapter 5 (finite replenishment rate)",
        core=economic_production_quantity,
        takes=(
            Quantity("demand", "demand of a year, in pieces", whole(100, 20000)),
            Quantity("rate", "pieces that could be produced in a year", whole(20500, 90000)),
            Quantity("setup_cost", "cost of one setup, in any one currency", decimal(5, 200, 2)),
            _HOLDING,
        ),
        gives=Result("economic production quantity", "number", unit="pieces", digits=(0, 1, 2)),
        refuses=(
            *not_negative("demand", "setup_cost"),
            *positive("holding"),
            Refusal("{rate} is less than or equal to {demand}", {"demand": 1000, "rate": 1000}),
            Refusal("{rate} is less than or equal to {demand}", {"demand": 1000, "rate": 500}),
        ),
        edges=({"demand": 0}, {"setup_cost": 0}),
        tags=("stock", "lot"),
        noun="item",
    ),
    Family(
        name="stock_cost",
        title="Yearly cost of ordering and holding",
        says="An order quantity causes two costs in a year: those of the orders, and those of the stock, which "
        "is half a lot on average.",
        formula="cost = {demand} / {quantity} * {order_cost} + {quantity} / 2 * {holding}.",
        source=f"{SILVER}, chapter 5 (total relevant costs)",
        core=stock_cost,
        takes=(_DEMAND, Quantity("quantity", "pieces in one order", whole(10, 3000)), _ORDER_COST, _HOLDING),
        gives=Result("cost of a year", "number", better="lower", digits=(0, 2)),
        refuses=(*not_negative("demand", "order_cost", "holding"), *positive("quantity")),
        edges=({"demand": 0}, {"holding": 0}),
        tags=("stock", "cost"),
        noun="item",
    ),
    Family(
        name="safety_stock",
        title="Safety stock",
        says="The safety stock covers the spread of the demand during the lead time.",
        formula="safety stock = {factor} * {sigma} * square root of the lead time in days ({lead_time}; a day "
        "has 24 hours).",
        source=f"{SILVER}, chapter 7 (safety factor times the standard deviation over the lead time)",
        core=safety_stock,
        takes=(_FACTOR, _SIGMA, _LEAD_TIME),
        gives=Result("safety stock", "number", unit="pieces", better="lower", digits=(1, 2)),
        refuses=not_negative("factor", "sigma", "lead_time"),
        edges=({"factor": 0}, {"sigma": 0}, {"lead_time": 0}, {"factor": 2.05, "lead_time": 4}),
        tags=("stock", "planning"),
        noun="item",
    ),
    Family(
        name="reorder_point",
        title="Reorder point",
        says="The reorder point is the stock at which a new order must be placed.",
        formula="reorder point = {daily_demand} * lead time in days ({lead_time}; a day has 24 hours) + {safety}.",
        source=f"{SILVER}, chapter 7 (order point)",
        core=reorder_point,
        takes=(_DAILY, _LEAD_TIME, Quantity("safety", "safety stock, in pieces", whole(0, 400))),
        gives=Result("reorder point", "number", unit="pieces", digits=(0, 1)),
        refuses=not_negative("daily_demand", "lead_time", "safety"),
        edges=({"safety": 0}, {"lead_time": 0}),
        tags=("stock", "planning"),
        noun="item",
    ),
    Family(
        name="reorder_point_from_spread",
        title="Reorder point with a safety stock from the spread of demand",
        says="The reorder point covers the mean demand during the lead time and a safety stock for its spread.",
        formula="with L the lead time in days ({lead_time}; a day has 24 hours): safety stock = {factor} * "
        "{sigma} * square root of "
        "L; reorder point = {daily_demand} * L + safety stock.",
        source=f"{SILVER}, chapter 7 (order point)",
        core=reorder_point_with_sigma,
        uses=(safety_stock, reorder_point),
        takes=(_DAILY, _SIGMA, _LEAD_TIME, _FACTOR),
        gives=Result("reorder point", "number", unit="pieces", digits=(1, 2)),
        refuses=not_negative("daily_demand", "sigma", "lead_time", "factor"),
        edges=({"sigma": 0}, {"lead_time": 0}, {"factor": 0}),
        tags=("stock", "planning", "composition"),
        noun="item",
    ),
    Family(
        name="kanban_count",
        title="Number of kanbans",
        says="The number of kanbans is the number of containers that cover the demand during the lead time with "
        "a reserve.",
        formula="number of kanbans = {demand} * lead time in hours ({lead_time}) * (1 + {safety}) / {container}.",
        source=f"{MONDEN} (number of kanbans = demand * lead time * (1 + safety coefficient) / container capacity)",
        core=kanban_count,
        takes=(
            Quantity("demand", "demand of one hour, in pieces", decimal(1, 300, 1)),
            Quantity("lead_time", "replenishment lead time", whole(1, 24), units=("hours", "minutes")),
            Quantity("safety", "reserve as a share of the demand, 0.1 for 10 %", decimal(0, 0.5, 2)),
            Quantity("container", "pieces in one container", whole(5, 200), "int"),
        ),
        gives=Result("number of kanbans", "whole", "int", better="lower"),
        refuses=(*not_negative("demand", "lead_time", "safety"), *positive("container")),
        edges=({"demand": 0}, {"safety": 0}),
        tags=("stock", "kanban", "lean", "rounding"),
        noun="item",
    ),
    Family(
        name="containers_needed",
        title="Containers for a number of pieces",
        says="Pieces are carried in containers of one size; the last one need not be full.",
        formula="number of containers = {pieces} / {container}.",
        source=f"{MONDEN} (standard containers)",
        core=containers_needed,
        takes=(
            Quantity("pieces", "number of pieces", whole(0, 5000), "int"),
            Quantity("container", "pieces that fit in one container", whole(3, 97), "int"),
        ),
        gives=Result("number of containers", "whole", "int", better="lower"),
        refuses=(*not_negative("pieces"), *positive("container")),
        edges=({"pieces": 0}, {"pieces": 1}),
        tags=("stock", "logistics", "rounding"),
        noun="order",
    ),
)
