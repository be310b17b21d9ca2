"""Numbered migrations of the journal: never edited once released, only added to."""
