"""The door for people: the portal for clients, the console for the organization's own people."""
