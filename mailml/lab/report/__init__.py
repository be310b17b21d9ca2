"""Reports: one self-contained offline HTML file each, and the same numbers as DataFrames in the notebook."""
