"""The console: what the organization's people see."""
