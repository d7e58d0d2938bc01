"""The sandbox as an ASGI application."""

from starlette.applications import Starlette
from starlette.routing import Mount

from .api import Api
from .config import SandboxConfig
from .control import Control
from .sandbox import Sandbox


def create_app(config: SandboxConfig | None = None) -> Starlette:
    """An imitation of Metakocka with its own records; the control routes are there only if the configuration says so."""
    config = config or SandboxConfig()
    sandbox = Sandbox(config)
    control = [Mount("/sandbox", app=Control(sandbox).application())] if config.control else []
    application = Starlette(routes=[*control, Mount("/", app=Api(sandbox))])
    application.state.sandbox = sandbox
    return application
