"""The live side: a mailbox watched, every message decided once, every effect from the outbox."""
