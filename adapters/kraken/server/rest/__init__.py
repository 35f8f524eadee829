"""REST: every request that the served venue answers, from path and body to the envelope."""
