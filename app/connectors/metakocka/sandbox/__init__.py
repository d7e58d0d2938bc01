"""A local imitation of Metakocka, written from the provider's published facts alone: it shares nothing with the connector."""

from .app import create_app
from .config import CompanyConfig, SandboxConfig, Sizes

__all__ = ["CompanyConfig", "SandboxConfig", "Sizes", "create_app"]
