"""A real cluster under faults, with clients that write down what they saw.

| module | what it does |
| --- | --- |
| `__main__` | one run: start, faults and clients, final reading, check, report |
| `system` | commands, waiting, undoing |
| `network`, `proxy` | where nodes live, and what cuts them apart |
| `disk`, `clock` | what fills or slows a node's disk, and moves its clock |
| `program`, `node`, `cluster` | the executable, one process of it, and the cluster that they make |
| `nemesis`, `partitions`, `operators`, `schedule` | the faults, and when they come |
| `clients`, `bench`, `objects`, `worker`, `history` | the workload over the AWS API |
| `final` | what every node must show when all is healed |
| `measures`, `report`, `timeline` | what is said about the run |
"""
