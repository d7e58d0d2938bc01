"""The outside world: one folder per provider. Nothing here knows the web, the database or tenants."""
