"""Downloads of Kraken's public data: what pages say, and the shell that asks for them."""
