"""Kraken's spot margin as data: collateral, lending, fees, levels.

Not modelled: a pool of loans that runs dry (Insufficient margin), the number of positions (Positions limit exceeded, of
which no figure is known) and the term after which a position has to be closed.

``support/...`` are articles of Kraken's help pages, by the number that is part of their address below
https://support.kraken.com/hc/en-us/articles/ (state of 2024 to 2026).
"""

from __future__ import annotations

from framework.protocol import MarginAsset, MarginPair, MarginRules, RejectReason, Switch

__all__ = ["MARGIN", "MARGIN_SOURCES", "MARGIN_SWITCHES"]

_SECOND_NS = 1_000_000_000
_HOUR_NS = 3_600 * _SECOND_NS
_WHOLE = 1_000_000


def _asset(allowance: int, collateral_ppm: int = _WHOLE, fee_ppm: int = 200, *, is_cash: bool = False) -> MarginAsset:
    return MarginAsset(
        collateral_ppm=collateral_ppm,
        opening_ppm=fee_ppm,
        rollover_ppm=fee_ppm,
        allowance=allowance,
        is_cash=is_cash,
    )


def _pair(leverage_max: int, long_max: int, short_max: int) -> MarginPair:
    offered = tuple(range(2, leverage_max + 1))
    return MarginPair(leverage_buy=offered, leverage_sell=offered, long_max=long_max, short_max=short_max)


MARGIN = MarginRules(
    assets={
        "USD": _asset(20_000_000, fee_ppm=250, is_cash=True),
        "EUR": _asset(10_000_000, is_cash=True),
        "GBP": _asset(1_200_000, is_cash=True),
        "CAD": _asset(650_000, is_cash=True),
        "CHF": _asset(330_000, is_cash=True),
        "AUD": _asset(810_000, is_cash=True),
        "JPY": _asset(6_600_000, is_cash=True),
        "BTC": _asset(330, fee_ppm=100),
        "ETH": _asset(3_000),
        "USDC": _asset(4_600_000),
        "USDT": _asset(7_700_000, 900_000),
        "XRP": _asset(1_800_000, 0),
        "LTC": _asset(5_900, 0),
        "BCH": _asset(1_000, 0),
        "ADA": _asset(1_700_000, 0),
        "DOT": _asset(89_000, 0),
        "LINK": _asset(52_000, 0),
    },
    pairs={
        "BTC/USD": _pair(5, 250, 200),
        "BTC/EUR": _pair(5, 250, 200),
        "BTC/GBP": _pair(3, 80, 80),
        "BTC/CAD": _pair(3, 80, 80),
        "BTC/USDT": _pair(10, 80, 80),
        "ETH/USD": _pair(5, 2_500, 2_000),
        "ETH/EUR": _pair(5, 2_500, 2_000),
        "ETH/BTC": _pair(5, 2_500, 2_000),
        "ETH/USDT": _pair(3, 1_000, 1_000),
        "XRP/USD": _pair(5, 1_000_000, 1_000_000),
        "XRP/EUR": _pair(5, 1_000_000, 1_000_000),
        "LTC/USD": _pair(3, 3_000, 3_000),
        "LTC/EUR": _pair(3, 3_000, 3_000),
        "BCH/USD": _pair(3, 500, 500),
        "BCH/EUR": _pair(3, 500, 500),
        "ADA/USD": _pair(3, 1_000_000, 1_000_000),
        "ADA/EUR": _pair(3, 1_000_000, 1_000_000),
        "DOT/USD": _pair(3, 50_000, 50_000),
        "LINK/USD": _pair(3, 50_000, 50_000),
    },
    tiers=("intermediate", "pro"),
    call_percent=80,
    stop_percent=40,
    is_call_enforced=False,
    is_stop_total=True,
    is_short_margin_marked=False,
    shortfall=RejectReason.INSUFFICIENT_INITIAL_MARGIN,
    rollover_ns=4 * _HOUR_NS,
    check_ns=_SECOND_NS,
    leverage_default=5,
    loss_assets=("USD", "EUR", "GBP", "CAD", "CHF", "AUD", "JPY", "BTC", "ETH", "USDT", "USDC"),
    major_assets=("BTC", "ETH"),
    conversion_cash_ppm=15_000,
    conversion_major_ppm=25_000,
    conversion_ppm=50_000,
)

MARGIN_SOURCES = {
    "margin.assets": "support/204585998, collateral and haircuts; support/206161568, fees of 0.02 % for most",
    "margin.assets.USD.opening_ppm": "support/206161568, state of February 2026",
    "margin.assets.USD.rollover_ppm": "support/206161568, state of February 2026",
    "margin.assets.BTC.opening_ppm": "support/206161568",
    "margin.assets.BTC.rollover_ppm": "support/206161568",
    "margin.assets.XRP.collateral_ppm": "websocket-v2/instrument, example",
    **{
        f"margin.assets.{asset}.allowance": "support/209238787"
        for asset in ("USD", "EUR", "GBP", "CAD", "CHF", "AUD", "JPY", "BTC", "ETH", "USDC", "USDT")
    },
    "margin.pairs": "rest-api/get-tradable-asset-pairs, leverage in a reply recorded in 2021; assumption: the limits",
    "margin.pairs.BTC/USD": "websocket-v2/instrument, example",
    "margin.pairs.BTC/USDT": "rest-api/get-tradable-asset-pairs, a reply recorded in 2025",
    "margin.tiers": "support/4402532394260",
    "margin.call_percent": "rest-api/get-tradable-asset-pairs, margin_call; support/203325763",
    "margin.stop_percent": "rest-api/get-tradable-asset-pairs, margin_stop; support/203325763",
    "margin.is_call_enforced": "support/203325763: at Kraken's discretion; see switch margin_call",
    "margin.is_stop_total": "support/203325763; see switch margin_stop",
    "margin.is_short_margin_marked": "support/360030886332; see switch short_margin",
    "margin.shortfall": "observed from the live service; see switch margin_shortfall",
    "margin.rollover_ns": "support/206161568; observed rollovertm of an open position",
    "margin.check_ns": "assumption: no page says how often margin levels are looked at",
    "margin.leverage_default": "websocket-v2/add_order and websocket-v1/addorder, margin; fix-api/nos-fix, tag 5001",
    "margin.loss_assets": "support/9148088075028",
    "margin.major_assets": "support/9148088075028",
    "margin.conversion_cash_ppm": "support/9148088075028",
    "margin.conversion_major_ppm": "support/9148088075028",
    "margin.conversion_ppm": "support/9148088075028",
}

MARGIN_SWITCHES = (
    Switch(
        name="margin_call",
        question="What happens at the margin call level: only a notice, or are positions taken back already?",
        values={
            "notice": {"margin.is_call_enforced": False},
            "liquidation": {"margin.is_call_enforced": True},
        },
        default="notice",
        source="support/203325763: from the call to the liquidation level it is at Kraken's discretion",
    ),
    Switch(
        name="margin_stop",
        question="Which positions are taken back at the liquidation level?",
        values={
            "all": {"margin.is_stop_total": True},
            "enough": {"margin.is_stop_total": False},
        },
        default="all",
        source="support/203325763 said all; it now says all, or as many as bring the level above 100 %",
    ),
    Switch(
        name="short_margin",
        question="Is the used margin of a short that of its opening, or does it follow the price?",
        values={
            "opening": {"margin.is_short_margin_marked": False},
            "last_price": {"margin.is_short_margin_marked": True},
        },
        default="opening",
        source="support/360030886332: opening cost over leverage; the example of support/203053156 follows the price",
    ),
    Switch(
        name="margin_shortfall",
        question="In which words is an order refused whose margin is not there?",
        values={
            "initial_margin": {"margin.shortfall": RejectReason.INSUFFICIENT_INITIAL_MARGIN},
            "margin_level": {"margin.shortfall": RejectReason.MARGIN_LEVEL},
        },
        default="initial_margin",
        source="guides/spot-errors lists Margin level too low only; the live service says Insufficient initial margin",
    ),
)
