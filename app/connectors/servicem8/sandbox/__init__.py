"""A local imitation of ServiceM8, written from the provider's published facts alone: it shares nothing with the connector."""

from .app import create_app
from .config import AccountConfig, SandboxConfig, TaxRate
from .seed import demo_config
from .server import run

__all__ = ["AccountConfig", "SandboxConfig", "TaxRate", "create_app", "demo_config", "run"]
