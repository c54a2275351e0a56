"""The active skills over the Model Context Protocol, so that other agents can use them.

The list is read from the library each time that it is asked for, so a skill that is admitted or suspended is seen
without a restart; who subscribed to changes is told of them. A call runs in the sandbox. What a skill raises is a result
with `isError`, as the specification wants it, so that the calling model can see it; a tool that there is not is a
protocol error. Formats: modelcontextprotocol.io, 2025-11-25 and 2026-07-28, server/tools.
"""

from __future__ import annotations

import asyncio
import json
import math
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.server.lowlevel.server import NotificationOptions
from mcp.server.stdio import stdio_server
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ToolsListChanged
from mcp.shared.exceptions import MCPError

from tools.errors import MillwrightError
from tools.skills.standing import evidence_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection

    from mcp.server.context import ServerRequestContext
    from mcp.server.session import ServerSession

    from millwright.shelf import Shelf
    from tools.memory.records import Skill
    from tools.skills.calling import Answer

PAGE = 100
"""So many tools are listed at once; a client asks for the next page with the cursor."""

AT_ONCE = 4
"""So many calls run at the same time; others wait."""

LOOKED = 1.0
"""Seconds between two looks at the library for what subscribers are to be told of."""

INSTRUCTIONS = (
    "Each tool is a small tested program; its description says what it computes and what speaks for it. Tools compute "
    "from their arguments alone: they read no files and have no network."
)


class SkillServer:
    """The protocol's two questions, which tools there are and what one of them answers, over one shelf."""

    def __init__(self, shelf: Shelf, tags: Collection[str] = ()) -> None:
        """Serve the active skills that have all of these tags."""
        self._shelf = shelf
        self._tags = tuple(tags)
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._bus = InMemorySubscriptionBus()
        self._client: ServerSession | None = None
        self._alone = False  # over stdio there is one client, which is told without a subscription
        self.protocol: Server[Any] = Server(
            "millwright",
            version=version("millwright"),
            title="Millwright's tools",
            instructions=INSTRUCTIONS,
            lifespan=self._watching,
            on_list_tools=self.list_tools,
            on_call_tool=self.call_tool,
            on_subscriptions_listen=ListenHandler(self._bus),
        )

    async def list_tools(
        self, context: ServerRequestContext[Any], wanted: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        """One page of the tools, by name; the cursor is the last name of the page before."""
        if self._alone:
            self._client = context.session
        after = (wanted.cursor if wanted is not None else None) or ""
        skills = [s for s in await asyncio.to_thread(self._shelf.active, self._tags) if s.name > after]
        more = skills[PAGE - 1].name if len(skills) > PAGE else None
        return types.ListToolsResult(tools=[described(skill) for skill in skills[:PAGE]], next_cursor=more)

    async def call_tool(
        self, context: ServerRequestContext[Any], wanted: types.CallToolRequestParams
    ) -> types.CallToolResult:
        """Run one skill in the sandbox.

        Raises:
            MCPError: no active skill has that name.
        """
        skill = await asyncio.to_thread(self._shelf.named, wanted.name, self._tags)
        if skill is None:
            raise MCPError(
                types.INVALID_PARAMS, f"there is no tool {wanted.name!r}; tools/list names those there are"
            )
        async with self._gate:
            try:
                answer = await self._shelf.use(skill, wanted.arguments or {})
            except MillwrightError as error:
                return _error(str(error))
        return told(answer)

    async def over_stdio(self) -> None:
        """Serve this process's own input and output until the input ends."""
        self._alone = True
        async with stdio_server() as (incoming, outgoing):
            options = self.protocol.create_initialization_options(NotificationOptions(tools_changed=True))
            await self.protocol.run(incoming, outgoing, options)

    @asynccontextmanager
    async def _watching(self, _: Server[Any]) -> AsyncIterator[None]:
        watch = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch

    async def _watch(self) -> None:
        """Tell the subscribers when the list has changed."""
        seq, known = -1, None
        while True:
            with suppress(MillwrightError):  # whoever asks for the list is told why there is none
                newest = await asyncio.to_thread(self._shelf.newest_change)
                found = await asyncio.to_thread(self._shelf.ids) if newest != seq else known
                if known is not None and found != known:
                    await self._announce()
                seq, known = newest, found
            await asyncio.sleep(LOOKED)

    async def _announce(self) -> None:
        await self._bus.publish(ToolsListChanged())
        if self._client is not None:
            await self._client.send_tool_list_changed()


def described(skill: Skill) -> types.Tool:
    """A skill as the protocol describes a tool. Its result is wrapped, for older clients take only an object."""
    wrapped = {"type": "object", "properties": {"result": skill.returns}, "required": ["result"]}
    return types.Tool(
        name=skill.name,
        title=skill.name.replace("_", " "),
        description=f"{skill.description.strip()}\n\nEvidence: {evidence_of(skill)}.",
        input_schema=skill.parameters,
        output_schema=wrapped,
        annotations=types.ToolAnnotations(
            read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
        ),
        _meta={"millwright/skill": skill.id, "millwright/sha256": skill.sha256, "millwright/run": skill.run},
    )


def told(answer: Answer) -> types.CallToolResult:
    """An answer as the protocol tells it."""
    if answer.kind != "returned":
        return _error(answer.error if answer.kind in ("raised", "unfit") else f"no answer: {answer.error}")
    if not _finite(answer.value):
        return _error(f"the result holds a number that JSON has no word for: {answer.value!r}")
    text = json.dumps(answer.value, ensure_ascii=False)
    return types.CallToolResult(content=[types.TextContent(text=text)], structured_content={"result": answer.value})


def _error(message: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(text=message)], is_error=True)


def _finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(_finite(one) for one in value.values())
    return all(_finite(one) for one in value) if isinstance(value, list | tuple) else True
