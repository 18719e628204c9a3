"""Rules about the server and its models: what it is, what it has, what is loaded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ragbed.contracts.llm.case import Facts, Table
from ragbed.contracts.llm.shapes import shape

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ragbed.contracts.llm.ask import Ask, ClientAnswer

SERVER, LISTS, SHOW, LOADED = Table("server"), Table("tags"), Table("show"), Table("loaded models")
TABLES = (SERVER, LISTS, SHOW, LOADED)

_DETAILS = {
    "parent_model": "text",
    "format": "text",
    "family": "text",
    "families": ["text"],
    "parameter_size": "text",
    "quantization_level": "text",
}


@SERVER.case("the root says that it runs, to GET and to HEAD", says="Ollama is running", statuses=[200, 200])
async def _root(ask: Ask) -> Facts:
    get, head = await ask.send("GET", "/"), await ask.send("HEAD", "/")
    return {"says": get.body[:17], "statuses": [get.status, head.status]}


@SERVER.case("the version has three numbers", numbers=3, statuses=[200, 200])
async def _version(ask: Ask) -> Facts:
    get, head = await ask.send("GET", "/api/version"), await ask.send("HEAD", "/api/version")
    match = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", get.body["version"])
    return {"numbers": len(match.groups()) if match else 0, "statuses": [get.status, head.status]}


@SERVER.case(
    "an unknown path is 404, a wrong method 405", path=404, get_chat=405, post_tags=405, delete_ps=405
)
async def _paths(ask: Ask) -> Facts:
    calls = {
        "path": ("GET", "/api/nowhere"),
        "get_chat": ("GET", "/api/chat"),
        "post_tags": ("POST", "/api/tags"),
        "delete_ps": ("DELETE", "/api/ps"),
    }
    return {name: (await ask.send(*call)).status for name, call in calls.items()}


@SERVER.case(
    "models are managed: deleting or copying one that is not there is 404", delete=404, copy=404, blob=404
)
async def _managing(ask: Ask) -> Facts:
    return {
        "delete": (await ask("delete", model="nowhere")).status,
        "copy": (await ask("copy", source="nowhere", destination="elsewhere")).status,
        "blob": (await ask.send("HEAD", f"/api/blobs/sha256:{'0' * 64}")).status,
    }


@LISTS.case(
    "each model has name, time, digest, size and details",
    model={
        "model": "text",
        "modified_at": "time",
        "digest": "digest",
        "size": "whole number",
        "details": _DETAILS,
    },
)
async def _tags(ask: Ask) -> Facts:
    shapes = [shape(model) for model in (await ask("list")).body["models"]]
    return {"model": shapes[0] if all(one == shapes[0] for one in shapes) else shapes}


@LISTS.case("names are listed with their tags, which asking does not need", listed=True, found=[200, 200])
async def _names(ask: Ask) -> Facts:
    listed = [model["model"] for model in (await ask("list")).body["models"]]
    wanted = [ask.models.embedding, ask.models.chat]
    statuses = [(await ask("show", model=name)).status for name in wanted]
    return {"listed": {f"{name}:latest" for name in wanted} <= set(listed), "found": statuses}


@LISTS.case("the list answers HEAD", status=200)
async def _head(ask: Ask) -> Facts:
    return {"status": (await ask.send("HEAD", "/api/tags")).status}


@LISTS.case("names may be written in capitals, and in full", statuses=[200, 200, 200])
async def _spellings(ask: Ask) -> Facts:
    name = ask.models.embedding
    spellings = [name.upper(), f"library/{name}", f"registry.ollama.ai/library/{name}:latest"]
    return {"statuses": [(await ask.embed("a", model=spelling)).status for spelling in spellings]}


@SHOW.case(
    "an embedding model tells family, context, dimensions and that it embeds",
    keys=["capabilities", "details", "modelfile", "modelinfo", "modified_at", "template"],
    details=_DETAILS,
    capabilities=["embedding"],
    context="whole number",
    told_dimensions=True,
)
async def _embedding_model(ask: Ask) -> Facts:
    shown = (await ask("show", model=ask.models.embedding)).body
    info = shown["modelinfo"]
    family = info["general.architecture"]
    vector = (await ask.embed("a")).body["embeddings"][0]
    return {
        "keys": sorted(set(shown) - {"parameters", "license"}),  # those are there where the model has them
        "details": shape(shown["details"]),
        "capabilities": shown["capabilities"],
        "context": shape(info[f"{family}.context_length"]),
        "told_dimensions": info[f"{family}.embedding_length"] == len(vector),
    }


@SHOW.case(
    "a chat model tells family, context, template, that it completes and that it calls tools",
    capabilities=["completion", "tools"],
    context="whole number",
    template="text",
    family_is_told_twice=True,
)
async def _chat_model(ask: Ask) -> Facts:
    shown = (await ask("show", model=ask.models.chat)).body
    family = shown["modelinfo"]["general.architecture"]
    return {
        "capabilities": shown["capabilities"],
        "context": shape(shown["modelinfo"][f"{family}.context_length"]),
        "template": shape(shown["template"]),
        "family_is_told_twice": shown["details"]["family"] == family,
    }


@SHOW.case("the older key `name` is understood", status=200)
async def _older_key(ask: Ask) -> Facts:
    return {"status": (await ask.send("POST", "/api/show", {"name": ask.models.chat})).status}


@LOADED.case(
    "a model that was used is listed with its memory and until when",
    model={
        "model": "text",
        "name": "text",
        "digest": "digest",
        "expires_at": "time",
        "size": "whole number",
        "size_vram": "whole number",
        "details": _DETAILS,
        "context_length": "whole number",
    },
    same_digest=True,
)
async def _used(ask: Ask) -> Facts:
    await ask.embed("a")
    name = f"{ask.models.embedding}:latest"
    loaded = next(one for one in (await ask("ps")).body["models"] if one["model"] == name)
    listed = next(one for one in (await ask("list")).body["models"] if one["model"] == name)
    return {"model": shape(loaded), "same_digest": loaded["digest"] == listed["digest"]}


@LOADED.case("a chat without messages loads the model and says so", reason="load", text="", loaded=True)
async def _load_by_chat(ask: Ask) -> Facts:
    answer = await ask.chat(messages=[])
    return {
        "reason": answer.body["done_reason"],
        "text": answer.text,
        "loaded": ask.models.chat in await ask.running(),
    }


@LOADED.case("a completion without a prompt loads the model and says so", reason="load", text="", loaded=True)
async def _load_by_generate(ask: Ask) -> Facts:
    answer = await ask.generate("")
    return {
        "reason": answer.body["done_reason"],
        "text": answer.text,
        "loaded": ask.models.chat in await ask.running(),
    }


@LOADED.case("an embedding of no text loads the model", vectors=0, loaded=True)
async def _load_by_embed(ask: Ask) -> Facts:
    answer = await ask.embed([])
    return {"vectors": len(answer.body["embeddings"]), "loaded": ask.models.embedding in await ask.running()}


@LOADED.case("loading and unloading carry no figures", load=[], unload=[])
async def _no_figures(ask: Ask) -> Facts:
    answers = {"load": await ask.generate(""), "unload": await ask.generate("", keep_alive=0)}
    figures = {"total_duration", "load_duration", "prompt_eval_count", "eval_count", "context"}
    return {name: sorted(figures & set(answer.body)) for name, answer in answers.items()}


@LOADED.case(
    "an answer leaves its model loaded, and keep_alive 0 without a prompt unloads it, by chat and by generate",
    loaded=[True, True],
    reasons=["unload", "unload"],
    gone=[True, True],
)
async def _unload(ask: Ask) -> Facts:
    loaded, reasons, gone = [], [], []
    ways: tuple[Callable[[], Awaitable[ClientAnswer]], ...] = (
        lambda: ask.chat(messages=[], keep_alive=0),
        lambda: ask.generate("", keep_alive="0s"),
    )
    for unload in ways:
        await ask.generate(options={"num_predict": 1})
        loaded.append(ask.models.chat in await ask.running())
        reasons.append((await unload()).body["done_reason"])
        gone.append(await ask.comes_true(lambda: _is_gone(ask, ask.models.chat)))
    return {"loaded": loaded, "reasons": reasons, "gone": gone}


@LOADED.case("keep_alive 0 with a prompt unloads the model after its answer", words=True, gone=True)
async def _unload_after(ask: Ask) -> Facts:
    answer = await ask.generate(keep_alive=0, options={"num_predict": 3})
    gone = await ask.comes_true(lambda: _is_gone(ask, ask.models.chat))
    return {"words": answer.body["eval_count"] == 3, "gone": gone}


@LOADED.case("keep_alive 0 with a text to embed unloads the model after its vector", vectors=1, gone=True)
async def _unload_after_embedding(ask: Ask) -> Facts:
    answer = await ask.embed("a", keep_alive=0)
    gone = await ask.comes_true(lambda: _is_gone(ask, ask.models.embedding))
    return {"vectors": len(answer.body["embeddings"]), "gone": gone}


@LOADED.case("keep_alive takes seconds, units and -1", statuses=[200] * 5)
async def _keep_alive(ask: Ask) -> Facts:
    return {
        "statuses": [
            (await ask.embed([], keep_alive=value)).status for value in (60, 0.5, "1h30m", "90s", -1)
        ]
    }


async def _is_gone(ask: Ask, model: str) -> bool:
    return model not in await ask.running()
