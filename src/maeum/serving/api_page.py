"""The OpenAPI document for people: one page without scripts, and nothing from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from jinja2 import Environment, PackageLoader

from maeum.serving.limits import Limits


def api_page(document: Mapping[str, Any], limits: Limits) -> str:
    """The page, as HTML.

    Args:
        document: OpenAPI.
        limits: of the service that it describes.
    """
    pages = Environment(loader=PackageLoader("maeum.serving", "."), autoescape=True)
    pages.filters["shown"] = lambda value: json.dumps(value, ensure_ascii=False, indent=2)
    return pages.get_template("api_page.html.j2").render(
        title=document["info"]["title"],
        version=document["info"]["version"],
        description=document["info"]["description"],
        routes=[
            (method.upper(), path, told)
            for path, methods in document["paths"].items()
            for method, told in methods.items()
        ],
        schemas=document.get("components", {}).get("schemas", {}),
        limits=asdict(limits),
    )
