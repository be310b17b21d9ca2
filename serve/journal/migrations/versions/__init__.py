"""One file per step; the number in its name is the order."""
