"""``/config/rest/board/v1``: operations of the simulated board. Needs an admin; only with ``--simulate`` (else 404).

``POST .../<operation>`` with ``{"data": {...}}`` is the same as one line on ``board.sock``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from axcore.drivers.board_ops import OpError
from axcore.errors import InputError, NotFoundError
from axcore.interfaces.http.rest.envelope import BASE, RestError, RestRoute, arguments, read_object, rest, success
from axcore.model.accounts import Role

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request

API: Final = f"{BASE}/board/v1"
_STATUS: Final = {"unknown_operation": 404, "busy": 503, "too_large": 413}


def perform(ctx: Context, operation: str, data: dict[str, Any]) -> Any:
    """Run one operation. Raises NotFoundError without a board, InputError naming the field."""
    if "op" in data:
        raise InputError("op", "the operation is the last part of the path")
    try:
        return _board(ctx).perform({"op": operation, **data})
    except OpError as error:
        raise RestError(_STATUS.get(error.code, 400), error.code, error.reason, error.field) from None


def _board(ctx: Context) -> Any:
    if ctx.board is None:
        raise NotFoundError("board", "there is no simulated board here (axcore run --simulate)")
    return ctx.board


async def post_operation(request: Request, ctx: Context) -> web.Response:
    """One operation of the board."""
    _board(ctx)
    operation = request.path_params.get("op", "state")
    return success(perform(ctx, operation, await read_object(request)))


async def get_state(request: Request, ctx: Context) -> web.Response:
    """The level of every line."""
    arguments(request)
    return success(perform(ctx, "state", {}))


ROUTES: Final = (
    RestRoute(
        method="POST", path=f"{API}/{{op}}", role=Role.ADMIN, name="board.perform", handler=rest(post_operation),
        summary="One operation of the simulated board: card, edges, keys, button, input, rex, qr, state, ...",
        body=dict[str, Any], data=dict[str, Any], max_body=1 << 20,
    ),
    RestRoute(
        method="POST", path=f"{API}/state", role=Role.ADMIN, name="board.perform-state", handler=rest(post_operation),
        summary="All lines of the simulated board", body=dict[str, Any], data=dict[str, Any],
    ),
    RestRoute(
        method="GET", path=f"{API}/state", role=Role.ADMIN, name="board.state", safe=True, handler=rest(get_state),
        summary="All lines of the simulated board", data=dict[str, Any],
    ),
)  # fmt: skip
