"""How the hub logs: one line of JSON for each event, or readable lines in a terminal. No secret is ever handed to a logger."""

import logging
import sys

import structlog


def configure_logs(log_level: str) -> None:
    """For a process of the hub; called once by its entry point. The level is debug, info, warning or error."""
    level = logging.getLevelNamesMapping()[log_level.upper()]
    readable = sys.stderr.isatty()
    renderer = structlog.dev.ConsoleRenderer() if readable else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=max(level, logging.WARNING), stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
