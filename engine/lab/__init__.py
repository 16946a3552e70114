"""The lab: an AWS stand-in on loopback for trying, demonstrating and testing backups.

It is moto's server with the RDS behaviour that backups depend on, a clock of its own, and a ground
truth of what was stored in full. It imports nothing else of engine, so that what it says about an
outcome is independent of what engine believes. moto and flask are loaded by the server only.
"""
