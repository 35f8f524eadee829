"""Spot margin: positions on lent money beside an account's balances.

A fill of an order on margin moves no balance. It first closes, oldest first, what the account has open on the other
side of the pair; what is left of it opens a position, for which the venue lends the quote currency (a purchase) or the
base currency (a sale). Profit, loss and fees are in the balances; the position is not.

Sources: support/202966956 and the help pages beside it (``MarginRules`` of a profile names those of its values),
rest-api/get-open-positions, rest-api/get-trade-history, rest-api/get-trade-balance, guides/spot-errors.
"""
