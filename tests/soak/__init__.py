"""The service under fire: killed at every system call, cut at every byte, with a disk that fails.

`python -m tests.soak` runs the whole (hours); tests/scenarios/test_soak.py a bounded sample of each part.
"""
