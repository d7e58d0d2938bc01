"""`crosswalk demo`: the whole hub with a demo organization, a sandbox for a provider, and links that work."""
