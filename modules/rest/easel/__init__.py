"""Easel's own routes under /easel/v1: jobs that can be followed, and the queue."""
