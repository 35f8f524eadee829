"""The venue's end of Kraken's wire: gateways in front of a served venue (``framework.venue.served``)."""
