"""flownb in a Jupyter server: its routes, beneath `flownb/api/`.

It is switched on by `etc/jupyter/jupyter_server_config.d/flownb.json`, which is installed with flownb. The server is
not the kernel: what is asked here is left in the store, where whoever has the run finds it within a tenth of a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jupyter_server.utils import url_path_join

from flownb.server import handlers
from flownb.server.commands import NAMES
from flownb.server.known import KnownStores

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

_RUN: Final = r"(?P<run>[^/]+)"
#: The words that others have for runs.
_RUNS: Final = r"(?:runs|workflow-executions|workflows/executions)"
#: Every route, beneath `flownb/api/`.
ROUTES: Final[tuple[tuple[str, type[handlers.Handler]], ...]] = (
    (r"(?:approvals|workflows/approvals)", handlers.ApprovalsHandler),
    (_RUNS, handlers.RunsHandler),
    (rf"{_RUNS}/{_RUN}", handlers.RunHandler),
    (rf"{_RUNS}/{_RUN}/events", handlers.EventsHandler),
    (rf"{_RUNS}/{_RUN}/approve", handlers.ApproveHandler),
    (rf"{_RUNS}/{_RUN}/(?P<name>{'|'.join(NAMES)})", handlers.CommandHandler),
)


def _load_jupyter_server_extension(app: ServerApp) -> None:
    """Add the routes to a server; Jupyter calls it by this name."""
    stores = KnownStores(app.root_dir)
    base = app.web_app.settings["base_url"]
    # The path of a route is a pattern: `url_path_join` leaves it as it is.
    routes: list[Any] = [
        (url_path_join(base, "flownb", "api", path), handler, {"stores": stores}) for path, handler in ROUTES
    ]
    app.web_app.add_handlers(".*$", routes)
