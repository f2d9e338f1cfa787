"""The HTTP endpoints (protocol.md §4.1)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from .context import Context, TooManyError
from .contexts import ContextNotFoundError, Contexts
from .kernel_process import KernelStartError
from .requests import BadRequestError, read_execute, read_new_context
from .stream import stream_of

_STATUS = {ContextNotFoundError: 404, TooManyError: 429, KernelStartError: 500}


def create_app(contexts: Contexts, *, warm: bool = True) -> Starlette:
    """The service. It answers when its default kernels are warm, unless `warm` is false."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            if warm:
                await contexts.warm_up()
            yield
        finally:
            await contexts.close()

    async def health(_: Request) -> Response:
        return JSONResponse("OK")

    async def execute(request: Request) -> Response:
        asked = await read_execute(request)
        context = await contexts.for_execution(asked.context_id, asked.language)
        token = request.headers.get("X-Access-Token")
        lines = stream_of(lambda emit: context.run(asked.code, asked.env_vars, token, emit))
        return StreamingResponse(lines, media_type="application/x-ndjson")

    async def create_context(request: Request) -> Response:
        asked = await read_new_context(request)
        return JSONResponse(_public(await contexts.create(asked.language, asked.cwd)))

    async def list_contexts(_: Request) -> Response:
        return JSONResponse([_public(context) for context in contexts.list()])

    async def remove_context(request: Request) -> Response:
        await contexts.remove(request.path_params["id"])
        return JSONResponse(None)

    async def restart_context(request: Request) -> Response:
        await contexts.get(request.path_params["id"]).restart()
        return JSONResponse(None)

    routes = [
        Route("/health", health),
        Route("/execute", execute, methods=["POST"]),
        Route("/contexts", create_context, methods=["POST"]),
        Route("/contexts", list_contexts, methods=["GET"]),
        Route("/contexts/{id}", remove_context, methods=["DELETE"]),
        Route("/contexts/{id}/restart", restart_context, methods=["POST"]),
    ]
    anyone = Middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])
    handlers = dict.fromkeys((*_STATUS, BadRequestError), _refuse)
    return Starlette(routes=routes, lifespan=lifespan, middleware=[anyone], exception_handlers=handlers)


async def _refuse(_: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, BadRequestError) else _STATUS[type(error)]
    return PlainTextResponse(str(error), status_code=status)


def _public(context: Context) -> dict[str, str]:
    return {"id": context.id, "language": context.language.name, "cwd": context.cwd}
