"""What every provider's sandbox needs and no provider's facts decide: clock, gate, faults, serving, starting for tests.

Sandboxes import it; connectors and the hub do not.
"""
