"""Asks dnf what it would install.

Reads JSON: {"repo": directory or URL, "folder": a directory to write in, "requests": [{"install": [spec, ...], "only":
[nevra, ...] or null, "installed": []}, ...]}. Prints JSON, for each request {"packages": [nevra, ...]} or {"error":
text}. Weak dependencies are off. With "only" no other package of the repository is seen.
"""

import json
import sys

import dnf


def open_base(task):
    base = dnf.Base()
    conf = base.conf
    conf.installroot = task["folder"] + "/root"
    conf.cachedir = task["folder"] + "/cache"
    conf.logdir = task["folder"]
    conf.persistdir = task["folder"] + "/persist"
    conf.reposdir = []
    conf.plugins = False
    conf.install_weak_deps = False
    conf.best = True
    conf.assumeyes = True
    conf.gpgcheck = False
    conf.module_platform_id = "platform:f42"
    conf.substitutions["releasever"] = "42"
    conf.substitutions["arch"] = "x86_64"
    conf.substitutions["basearch"] = "x86_64"
    location = task["repo"]
    url = location if "://" in location else "file://" + location
    base.repos.add_new_repo("odcs", conf, baseurl=[url])
    base.fill_sack(load_system_repo=False)
    return base


def nevra(pkg):
    epoch = "" if str(pkg.epoch) == "0" else str(pkg.epoch) + ":"
    return "%s-%s%s-%s.%s" % (pkg.name, epoch, pkg.version, pkg.release, pkg.arch)


def answer(base, request):
    base.reset(goal=True)
    base.sack.reset_excludes()
    only = request.get("only")
    if only is not None:
        seen = set(only)
        base.sack.add_excludes([pkg for pkg in base.sack.query() if nevra(pkg) not in seen])
    try:
        for spec in request["install"]:
            base.install(spec)
        base.resolve()
    except dnf.exceptions.Error as error:
        return {"error": str(error)}
    return {"packages": sorted(nevra(pkg) for pkg in base.transaction.install_set)}


def main():
    task = json.load(sys.stdin)
    base = open_base(task)
    json.dump([answer(base, request) for request in task["requests"]], sys.stdout)


main()
