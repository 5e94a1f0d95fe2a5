"""Helpers of the client tests: nodes, the wire, waiting, and what an error must look like."""
