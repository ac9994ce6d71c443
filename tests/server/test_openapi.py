"""The API's document: whole, and true."""

from typing import Any

import httpx

from matte.server.openapi import openapi_document
from tests.server.running import RunningServer, quick_options


def references(value: Any) -> set[str]:
    """Returns what a document refers to."""
    if isinstance(value, dict):
        own = {value["$ref"]} if "$ref" in value else set()
        return own.union(*(references(each) for each in value.values()))
    if isinstance(value, list):
        return set().union(*(references(each) for each in value))
    return set()


def test_every_route_is_described(server: RunningServer, client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    routes = {
        (route.path.replace("{place:int}", "{place}"), method.lower())
        for route in server.app.routes
        for method in (route.methods or set()) - {"HEAD"}
    }
    page = {("/", "get"), ("/page/{name:path}", "get"), ("/openapi.json", "get")}
    described = {(path, method) for path, item in document["paths"].items() for method in item}
    assert described == routes - page


def test_references_and_parameters_are_there() -> None:
    document = openapi_document(quick_options(token="x" * 9))
    assert references(document) == {"#/components/schemas/Problem"}
    assert document["security"]
    for path, item in document["paths"].items():
        for operation in item.values():
            named = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
            assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}
