"""The code interpreter of a sandbox: runs code in Jupyter kernels for clients on port 49999 (protocol.md §4)."""
