#!/bin/sh
# The template's start command: keeps the code interpreter alive. The kernels of one that dies end with it.
# Runs as root, as E2B's does.
cd /
while :; do
  /opt/torpor/interpreter/venv/bin/python -m torpor_interpreter
  sleep 1
done
