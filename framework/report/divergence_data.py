"""What a page shows of a run's divergence, as ``divergence.json`` of its folder has it (framework.diverge)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from framework.backtest.run_folder import RunFolder
from framework.errors import DataError
from framework.protocol import BUY
from framework.report.thinning import milliseconds

__all__ = ["divergence_data"]

_ORDERS = 200


def divergence_data(folder: RunFolder, first_ns: int) -> dict[str, Any] | None:
    """The divergence; None where none was asked for. first_ns: the market's first time.

    Raises DataError for a file that is none.
    """
    found = folder.divergence
    if found is None:
        return None
    try:
        return _data(folder, found, first_ns)
    except (KeyError, TypeError, ValueError, ArithmeticError) as e:
        raise DataError(f"{folder.path / 'divergence.json'}: {e!r}; ask for the divergence again") from e


def _data(folder: RunFolder, found: dict[str, Any], first_ns: int) -> dict[str, Any]:
    is_ideal = found["start"] == "ideal"
    count = len(found["differences"])
    shown = f"; the {_ORDERS} that made the greatest difference" if count > _ORDERS else ""
    return {
        "sub": (
            "From a backtest without latency, fees and limits to the run, one cause after the other."
            if is_ideal
            else "From what the backtest of its configuration says to the run, one cause after the other."
        ),
        "label": "without latency, fees, limits" if is_ideal else "the backtest says",
        "backtest": _side(found, "backtest"),
        "run": _side(found, "run"),
        "steps": [
            {
                "cause": step["cause"],
                "assumed": step["assumed"],
                "measured": step["measured"],
                "net": _signed(Decimal(step["net"])),
                "value": float(step["net"]),
                "fills": f"{step['fills']:+,}" if step["fills"] else "0",
                "turnover": _signed(Decimal(step["turnover"])),
            }
            for step in found["steps"]
        ],
        "words": [*found["reading"], *found["notes"]],
        "orders_title": f"{count:,} order{'s' * (count != 1)} filled otherwise{shown}",
        "orders": [_order(folder, each, first_ns) for each in found["differences"][:_ORDERS]],
    }


def _side(found: dict[str, Any], name: str) -> dict[str, Any]:
    net = Decimal(found[f"{name}_net"])
    return {
        "net": f"{net.normalize():,f}",
        "value": float(net),
        "fills": f"{found[f'{name}_fills']:,}",
        "turnover": f"{Decimal(found[f'{name}_turnover']).normalize():,f}",
    }


def _order(folder: RunFolder, each: dict[str, Any], first_ns: int) -> dict[str, Any]:
    spec = folder.inputs.specs[each["symbol"]]
    price_ticks = each["price_ticks"]

    def qty(lots: int) -> str:
        return f"{spec.qty(lots).normalize():f}" if lots else "-"

    return {
        "t": milliseconds(each["sent_ns"], first_ns),
        "symbol": each["symbol"],
        "side": "buy" if each["side"] == BUY else "sell",
        "price": "market" if price_ticks is None else f"{spec.price(price_ticks):f}",
        "run": qty(each["run_lots"]),
        "backtest": qty(each["backtest_lots"]),
        "value": _signed(Decimal(each["value"])),
        "cause": each["cause"],
    }


def _signed(amount: Decimal) -> str:
    return f"{amount.normalize():+,f}" if amount else "0"
