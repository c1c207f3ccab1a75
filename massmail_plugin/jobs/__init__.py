"""Door of the workers: RQ functions, the queue, the worker and the scheduler. The only room that knows RQ."""
