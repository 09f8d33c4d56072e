#!/usr/bin/python3
"""compare_recorded.py UNIVERSE NAME COMPOSE_DIR DATE RESPIN: prints what differs from a recorded compose.

The terms are those of the collector of the records. Modules are compared by what they say, since the reference
composer writes them anew; the respin is that of the records, and so are paths of the configuration."""
import importlib.util
import json
import sys

import yaml

universe, name, compose, date, respin = sys.argv[1:]
spec = importlib.util.spec_from_file_location("collect", universe + "/collect.py")
collector = importlib.util.module_from_spec(spec)
spec.loader.exec_module(collector)


def as_recorded(value):
    """The same with the respin of the records."""
    if isinstance(value, dict):
        return {k: 0 if k == "respin" else as_recorded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [as_recorded(one) for one in value]
    if isinstance(value, str):
        for suffix in (".t", ".n", ".d", ".ci", ""):
            value = value.replace("@DATE@%s.%s" % (suffix, respin), "@DATE@%s.0" % suffix)
    return value


def load_modules(trees):
    for facts in trees.values():
        if "modules" in facts:
            facts["modules"] = list(yaml.load_all(facts["modules"], Loader=yaml.BaseLoader))


vectors = {one["name"]: one for one in json.load(open(universe + "/main-vectors.json"))}
vector = vectors[name]
recorded = vector.get("result") or vector["runs"][-1]
found = as_recorded(collector.collect(compose, date=date))
# The provenance and the repository file of the service are two more.
found["metadata"].pop("provenance.json", None)
found["metadata"].get("headers", {}).pop("provenance.json", None)
for facts in (recorded, found):
    load_modules(facts.get("repodata", {}))
    if "extra_files.json" in facts["metadata"]:
        for arches in facts["metadata"]["extra_files.json"]["extra_files"].values():
            for files in arches.values():
                files.sort(key=lambda one: one["file"])
different = collector.compare(recorded, found)
more = [path for path in found["files"] if not path.startswith("Temporary/")]
if sorted(more) != sorted(recorded.get("files", [])):
    different.append("files: %r" % sorted(set(more) ^ set(recorded.get("files", []))))
print("\n".join(different) or "equal")
