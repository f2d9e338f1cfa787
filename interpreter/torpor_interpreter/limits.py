"""Every bound of the service in one place. Code in a sandbox is hostile, and so may be its clients."""

MAX_BODY_BYTES = 16 * 1024 * 1024
MAX_CONTEXTS = 64
"""Contexts at once; each is a process of 40 to 100 MiB."""
MAX_WAITING = 32
"""Executions that may wait for their turn in one context."""
MAX_CONNECTIONS = 1024

MAX_QUEUED_LINES = 1000
MAX_QUEUED_BYTES = 64 * 1024 * 1024
"""Of one execution, not yet taken by its client. Beyond it the kernel's output is left where it is."""

GATHER_SECONDS = 0.003
"""For which a line waits for those behind it: each piece on its way to the client costs more than a line."""
MAX_GATHERED_BYTES = 256 * 1024

KEEPALIVE_SECONDS = 5.0
"""Silence after which a line is sent, so that a client that left is noticed."""
START_SECONDS = 60.0
"""For a kernel to answer after its start."""
QUIET_SECONDS = 30.0
"""For the small pieces of code that the service runs itself: environment and seeds."""
INTERRUPT_SECONDS = 2.0
"""Between two interrupts of code whose client left."""
INTERRUPTS = 5
KEEP_ALIVE_SECONDS = 640
"""Of idle connections; longer than the edge's, so that it never writes into one that is being closed."""
