"""The HTTP API: classify, headers, decide (dry run), health and metrics.

Nothing here is imported unless the API is on: FastAPI and uvicorn cost memory that a router can do without.
"""
