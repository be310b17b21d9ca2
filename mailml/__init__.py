"""mailml: routing for a support mailbox, learned and tuned in notebooks, run by a small, reliable service."""

__version__ = "0.1.0"
