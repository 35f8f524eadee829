"""The parts of the status page; ``page`` puts them together."""
