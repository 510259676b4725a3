"""What goes to the terminal besides the answers."""

import logging.config


def configure() -> None:
    """Log to stderr: Chirpy's own news, other libraries' warnings."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": "WARNING"},
            "loggers": {"chirpy": {"level": "INFO"}},
        }
    )
