"""Delivery and forecasts: reliability towards customers, smoothing, and forecast errors."""

from __future__ import annotations

from tools.tasks.family import Family, Option, Quantity, Refusal, Result
from tools.tasks.refusing import at_most, not_negative, positive, share
from tools.tasks.samples import as_many_as, decimal, many, up_to, whole

HYNDMAN = "R. J. Hyndman, G. Athanasopoulos, Forecasting: Principles and Practice, 3rd edition, OTexts, 2021"
SILVER = (
    "E. A. Silver, D. F. Pyke, R. Peterson, Inventory Management and Production Planning and Scheduling, "
    "3rd edition, Wiley, 1998"
)


def on_time_delivery(orders: int, late: int) -> float:
    """Share of the orders that were not late."""
    if orders <= 0 or late < 0 or late > orders:
        raise ValueError("orders must be positive, and late between zero and orders")
    return (orders - late) / orders


def schedule_attainment(scheduled: list[int], made: list[int]) -> float:
    """Share of the scheduled pieces that were made; surplus of one product makes up for no other."""
    if len(scheduled) != len(made) or any(number < 0 for number in scheduled + made) or sum(scheduled) == 0:
        raise ValueError("the lists must be as long as each other, nothing negative, and something scheduled")
    return sum(min(plan, real) for plan, real in zip(scheduled, made, strict=True)) / sum(scheduled)


def perfect_orders(on_time: float, complete: float, undamaged: float, documented: float) -> float:
    """Product of the four shares."""
    if any(not 0 <= part <= 1 for part in (on_time, complete, undamaged, documented)):
        raise ValueError("every share must be between 0 and 1")
    return on_time * complete * undamaged * documented


def moving_average(values: list[float], window: int) -> float:
    """Mean of the last values."""
    if window < 1 or window > len(values):
        raise ValueError("window must be from 1 to the number of values")
    return sum(values[-window:]) / window


def weighted_average(values: list[float], weights: list[float]) -> float:
    """Mean of the last values with weights, the last weight for the newest value."""
    if not weights or len(weights) > len(values) or min(weights) < 0 or sum(weights) == 0:
        raise ValueError("there must be weights, at most as many as values, none negative and not all zero")
    recent = values[-len(weights) :]
    return sum(value * weight for value, weight in zip(recent, weights, strict=True)) / sum(weights)


def smoothed(values: list[float], alpha: float) -> float:
    """Forecast of simple exponential smoothing that starts with the first value."""
    if not values or not 0 < alpha <= 1:
        raise ValueError("there must be a value, and alpha must be above 0 and at most 1")
    level = values[0]
    for value in values[1:]:
        level = alpha * value + (1 - alpha) * level
    return level


def percentage_error(actual: list[float], forecast: list[float], skip_zero: bool) -> float:
    """Mean absolute error as a share of the actual value."""
    if len(actual) != len(forecast):
        raise ValueError("the lists must be as long as each other")
    if not skip_zero and 0 in actual:
        raise ValueError("an actual value is zero")
    errors = [abs(a - f) / abs(a) for a, f in zip(actual, forecast, strict=True) if a != 0]
    if not errors:
        raise ValueError("there is nothing to average")
    return sum(errors) / len(errors)


def absolute_error(actual: list[float], forecast: list[float], squared: bool) -> float:
    """Mean absolute, or mean squared, error."""
    if not actual or len(actual) != len(forecast):
        raise ValueError("there must be a value, and the lists must be as long as each other")
    errors = [a - f for a, f in zip(actual, forecast, strict=True)]
    return sum(error * error if squared else abs(error) for error in errors) / len(errors)


def tracking_signal(actual: list[float], forecast: list[float]) -> float:
    """Sum of the errors over their mean absolute value."""
    if not actual or len(actual) != len(forecast):
        raise ValueError("there must be a value, and the lists must be as long as each other")
    errors = [a - f for a, f in zip(actual, forecast, strict=True)]
    if not any(errors):
        raise ValueError("every forecast is exact")
    return sum(errors) / (sum(abs(error) for error in errors) / len(errors))


def forecast_bias(actual: list[float], forecast: list[float]) -> float:
    """Mean of forecast minus actual."""
    if not actual or len(actual) != len(forecast):
        raise ValueError("there must be a value, and the lists must be as long as each other")
    return sum(f - a for a, f in zip(actual, forecast, strict=True)) / len(actual)


_VALUES = Quantity(
    "values", "the values of past periods, the oldest first", many(whole(20, 400), 3, 12), "list[float]"
)
_ACTUAL = Quantity("actual", "the actual value of each period", many(whole(20, 400), 2, 10), "list[float]")
_FORECAST = Quantity(
    "forecast", "the forecast for each period", as_many_as("actual", whole(21, 395)), "list[float]"
)
_LENGTHS = (
    Refusal("{actual} and {forecast} have different lengths", {"actual": [1, 2, 3], "forecast": [1, 2]}),
    Refusal("{actual} and {forecast} have different lengths", {"actual": [], "forecast": [1]}),
)
_EMPTY = (Refusal("{actual} is empty", {"actual": [], "forecast": []}),)

FAMILIES = (
    Family(
        name="on_time_delivery",
        title="On-time delivery",
        says="On-time delivery is the share of the orders that were delivered in time.",
        formula="on-time delivery = ({orders} - {late}) / {orders}.",
        source="SCOR model, APICS (delivery performance to customer commit date)",
        core=on_time_delivery,
        takes=(
            Quantity("orders", "number of orders delivered", whole(10, 900), "int"),
            Quantity("late", "number of them that were late", up_to("orders", most=60), "int"),
        ),
        gives=Result("on-time delivery", better="higher", levels=(0.9, 0.98)),
        refuses=(*positive("orders"), *not_negative("late"), *at_most("late", "orders", orders=10, late=11)),
        edges=({"late": 0}, {"orders": 16, "late": 16}),
        tags=("delivery", "customer"),
        noun="customer",
        additive=True,
    ),
    Family(
        name="schedule_attainment",
        title="Schedule attainment",
        says="Schedule attainment is the share of the scheduled pieces that were made. A surplus of one product "
        "does not make up for "
        "a lack of another.",
        formula="schedule attainment = sum over the products of min(scheduled, made) / sum of {scheduled}.",
        source="SMRP Best Practices, schedule compliance, counted in pieces; APICS Dictionary, 16th edition",
        core=schedule_attainment,
        takes=(
            Quantity("scheduled", "scheduled pieces of each product", many(whole(0, 90), 2, 8), "list[int]"),
            Quantity(
                "made",
                "pieces made of each product, in the same order",
                as_many_as("scheduled", whole(0, 100)),
                "list[int]",
            ),
        ),
        gives=Result("schedule attainment", better="higher", levels=(0.8, 0.95)),
        refuses=(
            Refusal("{scheduled} and {made} have different lengths", {"scheduled": [5, 6], "made": [5]}),
            Refusal("any number is negative", {"scheduled": [5, 6], "made": [5, -1]}),
            Refusal("any number is negative", {"scheduled": [5, -6], "made": [5, 1]}),
            Refusal(
                "nothing is scheduled: {scheduled} is empty or all zero", {"scheduled": [0, 0], "made": [1, 0]}
            ),
            Refusal("nothing is scheduled: {scheduled} is empty or all zero", {"scheduled": [], "made": []}),
        ),
        edges=({"scheduled": [10, 10], "made": [20, 0]}, {"scheduled": [8], "made": [8]}),
        tags=("delivery", "planning", "list"),
    ),
    Family(
        name="perfect_order_rate",
        title="Perfect order rate",
        says="An order is perfect if it is in time, complete, undamaged and correctly documented; the four are "
        "independent.",
        formula="perfect order rate = {on_time} * {complete} * {undamaged} * {documented}.",
        source="SCOR model, APICS (perfect order fulfillment)",
        core=perfect_orders,
        takes=tuple(
            Quantity(name, f"share of the orders that are {means}, from 0 to 1", decimal(0.7, 1, 3))
            for name, means in (
                ("on_time", "in time"),
                ("complete", "complete"),
                ("undamaged", "undamaged"),
                ("documented", "correctly documented"),
            )
        ),
        gives=Result("perfect order rate", better="higher", levels=(0.7, 0.9)),
        refuses=share("on_time", "complete", "undamaged", "documented"),
        edges=(
            {"on_time": 1, "complete": 1, "undamaged": 1, "documented": 1},
            {"on_time": 0},
            {"on_time": 0.95, "complete": 0.95, "undamaged": 0.95, "documented": 0.95},
        ),
        tags=("delivery", "composition"),
        noun="customer",
    ),
    Family(
        name="moving_average",
        title="Moving average forecast",
        says="The moving average forecasts the next period by the mean of the last few.",
        formula="forecast = mean of the last {window} of {values}.",
        source=f"{SILVER}, chapter 4 (simple moving average)",
        core=moving_average,
        takes=(_VALUES, Quantity("window", "number of periods", whole(1, 3), "int")),
        gives=Result("forecast", "number", digits=(1, 2)),
        refuses=(
            Refusal("{window} is less than 1", {"window": 0}),
            Refusal("{window} is greater than the number of {values}", {"values": [5, 6], "window": 3}),
            Refusal("{window} is greater than the number of {values}", {"values": [], "window": 1}),
        ),
        edges=({"values": [7], "window": 1}, {"values": [3, 5, 10], "window": 3}),
        tags=("forecast", "list"),
    ),
    Family(
        name="weighted_moving_average",
        title="Weighted moving average forecast",
        says="The weighted moving average forecasts the next period by the last few, each with its weight.",
        formula="take as many of the last {values} as there are {weights}; forecast = sum of value * weight / "
        "sum of the weights. "
        "The last weight belongs to the newest value. The weights need not add up to 1.",
        source=f"{HYNDMAN}, section 3.3 (weighted moving averages)",
        core=weighted_average,
        takes=(_VALUES, Quantity("weights", "the weights", many(whole(1, 5), 1, 3), "list[float]")),
        gives=Result("forecast", "number", digits=(1, 2)),
        refuses=(
            Refusal("{weights} is empty", {"weights": []}),
            Refusal("there are more {weights} than {values}", {"values": [5], "weights": [1, 2]}),
            Refusal("any weight is negative", {"weights": [1, -1, 3]}),
            Refusal("all weights are zero", {"weights": [0, 0]}),
        ),
        edges=({"values": [10, 20, 30], "weights": [0, 1]}, {"values": [10, 20, 30], "weights": [1, 2, 3]}),
        tags=("forecast", "list"),
    ),
    Family(
        name="exponential_smoothing",
        title="Exponential smoothing forecast",
        says="Simple exponential smoothing forecasts the next period by a level that follows each new value by a "
        "share of its error.",
        formula="the level starts as the first of {values}; for each later value, level = {alpha} * value + (1 - "
        "{alpha}) * level; "
        "the forecast is the level after the last value.",
        source=f"{HYNDMAN}, section 8.1; NIST/SEMATECH e-Handbook of Statistical Methods, section 6.4.3.1",
        core=smoothed,
        takes=(_VALUES, Quantity("alpha", "smoothing factor, above 0 and at most 1", decimal(0.05, 0.9, 2))),
        gives=Result("forecast", "number", digits=(1, 2)),
        refuses=(
            Refusal("{values} is empty", {"values": []}),
            Refusal("{alpha} is zero or negative", {"alpha": 0}),
            Refusal("{alpha} is zero or negative", {"alpha": -0.1}),
            Refusal("{alpha} is greater than 1", {"alpha": 1.5}),
        ),
        edges=({"values": [7]}, {"alpha": 1}, {"values": [10, 20], "alpha": 0.5}),
        tags=("forecast", "list"),
    ),
    Family(
        name="forecast_percentage_error",
        title="Mean absolute percentage error of a forecast (MAPE)",
        says="MAPE is the mean of the absolute forecast errors, each as a share of the actual value.",
        formula="error of a period = |actual - forecast| / |actual|; MAPE = mean of the errors.",
        source=f"{HYNDMAN}, section 5.8",
        core=percentage_error,
        takes=(_ACTUAL, _FORECAST),
        gives=Result("MAPE", better="lower", digits=(2, 3), levels=(0.2, 0.8)),
        refuses=_LENGTHS,
        edges=({"actual": [100, 50], "forecast": [100, 50]}, {"actual": [100, -50], "forecast": [80, -60]}),
        options=(
            Option(
                "A period whose actual value is 0 cannot be used.",
                {"skip_zero": False},
                "",
                (
                    Refusal("{actual} is empty", {"actual": [], "forecast": []}),
                    Refusal("any of {actual} is 0", {"actual": [100, 0], "forecast": [90, 5]}),
                ),
            ),
            Option(
                "Periods whose actual value is 0 are left out, also of the number of periods.",
                {"skip_zero": True},
                "without_zeros",
                (
                    Refusal(
                        "no period is left (no values, or all of {actual} are 0)", {"actual": [], "forecast": []}
                    ),
                    Refusal(
                        "no period is left (no values, or all of {actual} are 0)", {"actual": [0], "forecast": [5]}
                    ),
                ),
                ({"actual": [100, 0], "forecast": [90, 5]},),
            ),
        ),
        tags=("forecast", "list"),
    ),
    Family(
        name="forecast_error",
        title="Mean error of a forecast",
        says="The errors of a forecast are the differences between the actual values and the forecasts.",
        formula="error of a period = actual - forecast, for {actual} and {forecast} in the same order.",
        source=f"{HYNDMAN}, section 5.8",
        core=absolute_error,
        takes=(_ACTUAL, _FORECAST),
        gives=Result("mean error", "number", better="lower", digits=(1, 2)),
        refuses=(*_LENGTHS, *_EMPTY),
        edges=({"actual": [5, 7], "forecast": [5, 7]}, {"actual": [10, 20], "forecast": [13, 16]}),
        options=(
            Option("Asked for is the mean of the absolute errors (MAE).", {"squared": False}, "absolute"),
            Option("Asked for is the mean of the squared errors (MSE).", {"squared": True}, "squared"),
        ),
        tags=("forecast", "list"),
    ),
    Family(
        name="tracking_signal",
        title="Tracking signal of a forecast",
        says="The tracking signal tells whether a forecast is biased: the running sum of its errors over their "
        "mean absolute value.",
        formula="error of a period = actual - forecast; tracking signal = sum of the errors / mean of their "
        "absolute values.",
        source=f"{SILVER}, chapter 4 (tracking signal)",
        core=tracking_signal,
        takes=(_ACTUAL, _FORECAST),
        gives=Result("tracking signal", "number", digits=(2, 3)),
        refuses=(
            *_LENGTHS,
            *_EMPTY,
            Refusal("every forecast is exact", {"actual": [5, 7], "forecast": [5, 7]}),
        ),
        edges=({"actual": [10, 20], "forecast": [8, 16]}, {"actual": [10, 20], "forecast": [12, 18]}),
        tags=("forecast", "list"),
    ),
    Family(
        name="forecast_bias",
        title="Bias of a forecast",
        says="The bias is the mean by which a forecast is too high; a negative bias says that it is too low.",
        formula="bias = mean of (forecast - actual) over all periods.",
        source=f"{SILVER}, chapter 4 (bias)",
        core=forecast_bias,
        takes=(_ACTUAL, _FORECAST),
        gives=Result("bias", "number", digits=(1, 2)),
        refuses=(*_LENGTHS, *_EMPTY),
        edges=({"actual": [5, 7], "forecast": [5, 7]}, {"actual": [10], "forecast": [13]}),
        tags=("forecast", "list"),
    ),
)
