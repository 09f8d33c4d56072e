"""Asks for a compose through the generated client, follows it, and prints what it saw as JSON."""

from __future__ import annotations

import json
import sys
from typing import cast

from odcs_reactor import Compose, OdcsProblem, OdcsReactor


def use(url: str, repository: str) -> dict[str, object]:
    client = OdcsReactor(url)
    answer = client.create_compose(
        {"source": {"type": "repo", "source": repository, "packages": ["bash"]}, "series": "python"}
    )
    # A dry run is answered otherwise, and this is none.
    made = cast(Compose, answer)
    number: int = made["id"]
    states = [one["data"]["state_name"] for one in client.follow_compose(number) if one["event"] == "state"]
    shown = client.show_compose(number, wait=1)
    listed = client.list_composes(series="python", state="done")
    try:
        client.show_series("nothing")
        code = ""
    except OdcsProblem as problem:
        code = problem.code
    return {
        "state": shown["state_name"],
        "last": states[-1],
        "ids": [one["id"] == number for one in listed["items"]],
        "manifest": "bash" in client.show_manifest(number),
        "code": code,
    }


print(json.dumps(use(sys.argv[1], sys.argv[2])))
