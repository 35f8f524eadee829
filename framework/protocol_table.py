"""A venue's profile as text: what each protocol can do and does, what is charged, and which page says so.

Rows and paragraphs name their pages by number; a value that no page states is marked ``*``. The text holds nothing that
is not in the profile.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from framework.protocol import VenueProfile
from framework.protocol_rows import ABSENT, points, seconds, sections, words, yes
from framework.text_table import WIDTH, Citations, heading, row, wrapped

__all__ = ["format_protocols"]

_SECOND_NS = 1_000_000_000
_LABEL_WIDTH = 24
_PAGES_WIDTH = 12


def format_protocols(profile: VenueProfile) -> str:
    """The profile as text, at most ``framework.text_table.WIDTH`` characters wide, ending in a line break."""
    pages = Citations()
    lines = [profile.title, "=" * len(profile.title), ""]
    lines += wrapped(
        "What the road of an order decides. Numbers at the end of a row are pages, listed below; * marks an assumption,"
        f" which no page states; {ABSENT} marks what is not there."
    )
    lines += ["", *_protocols(profile, pages)]
    lines += [*_rates(profile, pages), "", *_tiers(profile, pages), "", *_engine(profile, pages)]
    lines += ["", *_fees(profile, pages), "", *_roads(profile, pages), "", *_switches(profile)]
    lines += ["", *heading("Pages"), *pages.listing()]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _protocols(profile: VenueProfile, pages: Citations) -> list[str]:
    protocols = profile.protocols
    width = (WIDTH - _LABEL_WIDTH - _PAGES_WIDTH) // len(protocols)
    widths = [_LABEL_WIDTH, *[width] * len(protocols), _PAGES_WIDTH]
    lines = [*row(["", *[each.title for each in protocols.values()], "pages"], widths), "-" * WIDTH]
    for title, rows in sections(profile):
        lines.append(title)
        for label, fields, cell in rows:
            cells, named = [], []
            for key, protocol in protocols.items():
                sources = [profile.source(f"protocols.{key}.{field}") for field in fields]
                text = cell(protocol)
                cells.append(text if text == ABSENT else text + _star(sources))
                named += sources
            lines += row([f"  {label}", *cells, pages.refer(named)], widths)
        lines.append("")
    return lines


def _rates(profile: VenueProfile, pages: Citations) -> list[str]:
    rates = profile.rates
    all_steps = (rates.amend_steps, rates.edit_steps, rates.cancel_steps)
    limits_ns = sorted({below_ns for steps in all_steps for below_ns, _ in steps})
    widths = [22, *[9] * (len(limits_ns) + 2)]
    lines = heading("Points that a request costs on the counter of an account and symbol, by age of the order")
    lines += row(["", "at once", *[f"< {seconds(limit_ns)}" for limit_ns in limits_ns], "older"], widths)
    for label, fixed, steps in (
        ("  add", rates.add_fixed, ()),
        ("  amend", rates.amend_fixed, rates.amend_steps),
        ("  edit", rates.edit_fixed, rates.edit_steps),
        ("  cancel", rates.cancel_fixed, rates.cancel_steps),
    ):
        ages = [next((cost for below_ns, cost in steps if limit_ns <= below_ns), 0) for limit_ns in limits_ns]
        lines += row([label, points(fixed), *[f"+{points(age)}" if age else ABSENT for age in ages], ABSENT], widths)
    lines += row(["  add, in a batch", points(rates.batch_add_per_order)], widths)
    lines += row(["  cancel, in a batch", "each order as a cancel alone"], [22, WIDTH - 22])
    cancels = _refused(rates.is_cancel_refused) + _mark(profile, "rates.is_cancel_refused")
    batches = _refused(rates.is_batch_cancel_refused) + _mark(profile, "rates.is_batch_cancel_refused")
    every = points(rates.cancel_all_per_symbol) + _mark(profile, "rates.cancel_all_per_symbol")
    lines += [
        "",
        *wrapped(
            f"Over the threshold orders, amends and edits are refused, single cancels {cancels}, batches of cancels "
            f"{batches}. A cancel-all costs {every} for each symbol. Pages: {_below(profile, 'rates', pages)}."
        ),
    ]
    return lines


def _tiers(profile: VenueProfile, pages: Citations) -> list[str]:
    widths = [22, 12, 16, 24, 16, 16]
    lines = heading("Limits by account tier: the counter of an account and symbol, the call counter of a key")
    lines += row(["", "threshold", "decay per s", "open orders per symbol", "calls", "decay per s"], widths)
    for tier in profile.tiers:
        cells = [
            f"  {tier.name}",
            points(tier.threshold),
            points(tier.decay_per_ns * _SECOND_NS),
            str(tier.open_orders_max),
            points(tier.call_max),
            points(tier.call_decay_per_ns * _SECOND_NS),
        ]
        lines += row(cells, widths)
    return [*lines, "", f"Pages: {_below(profile, 'tiers', pages)}."]


def _engine(profile: VenueProfile, pages: Citations) -> list[str]:
    priority = profile.amend_priority
    keeps, loses = (
        ", ".join(words(field) for field in priority.__struct_fields__ if getattr(priority, field) is is_kept)
        for is_kept in (True, False)
    )
    widths = [22, 20, 14, 14]
    lines = heading("What the engine lets in, by mode; what an amend does to the queue place")
    lines += row(["", "new orders", "cancels", "matching"], widths)
    for mode, rule in profile.modes.items():
        cells = [words(rule.new_orders.name), yes(rule.is_cancel_accepted), yes(rule.is_matching)]
        lines += row([f"  {words(mode.name)}", *cells], widths)
    return [
        *lines,
        "",
        *wrapped(
            f"An amend keeps the queue place when it changes {keeps}; it loses it with {loses}. An edit always does. "
            f"Pages: {_below(profile, 'modes', pages)} {_below(profile, 'amend_priority', pages)}."
        ),
    ]


def _fees(profile: VenueProfile, pages: Citations) -> list[str]:
    lines = heading(f"Fees by 30-day volume in {profile.fee_volume_currency}, percent of the cost")
    widths = [22, 12, 16]
    lines += row(["  from", "maker", "taker"], widths)
    for fee in profile.fees:
        lines += row([f"  {fee.volume_30d:,}", _percent(fee.maker_ppm), _percent(fee.taker_ppm)], widths)
    return [*lines, "", f"Pages: {_below(profile, 'fees', pages)}."]


def _roads(profile: VenueProfile, pages: Citations) -> list[str]:
    widths = [12, 26, 9, 17, 19, 11, 13, 13]
    lines = heading("Roads, and the median one-way latency of a command and of market data")
    lines += row(["", "", "orders", "cancels", "news", "from", "command", "data"], widths)
    for road in profile.roads:
        latency = profile.latency_tier(road.latency_tier).links[road.submit]
        mark = _mark(profile, f"latency_tiers.{road.latency_tier}")
        polled = "" if road.poll_interval_ns is None else f", every {seconds(road.poll_interval_ns)}"
        cells = [
            f"  {road.name}",
            road.title,
            str(road.submit),
            ", then ".join(road.cancel),
            f"{road.news}{polled}",
            road.latency_tier,
            _latency(latency.command.median_us) + mark,
            _latency(latency.feed.median_us) + mark,
        ]
        lines += row(cells, widths)
    tiers = "; ".join(f"{tier.name}: {tier.title}" for tier in profile.latency_tiers)
    return [*lines, "", *wrapped(f"{tiers}. Pages: {_below(profile, 'latency_tiers', pages)}.")]


def _switches(profile: VenueProfile) -> list[str]:
    widths = [30, WIDTH - 30]
    lines = heading("Switches: where the documents are silent or disagree; [the reading that is taken], the others")
    for switch in profile.switches:
        others = [value for value in switch.values if value != switch.default]
        lines += row([f"  {switch.name}", switch.question], widths)
        lines += row(["", ", ".join([f"[{switch.default}]", *others])], widths)
        lines += row(["", switch.source], widths)
    return lines


def _refused(is_refused: bool) -> str:
    return "are refused" if is_refused else "pass"


def _below(profile: VenueProfile, field: str, pages: Citations) -> str:
    """The numbers of the pages of a field of the profile and of all fields below it."""
    return pages.refer(page for path, page in profile.sources.items() if path.partition(".")[0] == field)


def _star(sources: Iterable[str]) -> str:
    return "*" if any("assumption:" in source for source in sources) else ""


def _mark(profile: VenueProfile, path: str) -> str:
    return _star([profile.source(path)])


def _percent(ppm: int) -> str:
    return f"{Decimal(ppm) / 10_000:.2f}"


def _latency(us: float) -> str:
    return f"{us / 1_000:g} ms" if us >= 1_000 else f"{us:g} us"
