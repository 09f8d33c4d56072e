#!/usr/bin/python3
"""dnf_repoclosure.py ARCH CHECKED [ASIDE]: what the packages of a repository lack, asked of dnf's own library.

The same questions that "dnf repoclosure --check" asks, which not every installation of dnf has."""
import sys
import tempfile

import dnf

arch, checked, aside = sys.argv[1], sys.argv[2], sys.argv[3:]
with tempfile.TemporaryDirectory() as cache:
    conf = dnf.conf.Conf()
    conf.cachedir = cache
    conf.ignorearch = True
    conf.substitutions["arch"] = arch
    conf.substitutions["releasever"] = "1"
    conf.substitutions["basearch"] = dnf.rpm.basearch(arch)
    base = dnf.Base(conf)
    base.repos.add_new_repo("checked", conf, baseurl=["file://" + checked])
    for path in aside:
        base.repos.add_new_repo("aside", conf, baseurl=["file://" + path])
    base.fill_sack(load_system_repo=False)
    available = base.sack.query().available()
    known = {}
    for package in sorted(available.filter(reponame="checked", arch=[arch, "noarch"])):
        lacking = set()
        for requirement in package.requires:
            text = str(requirement)
            if text.startswith(("solvable:", "rpmlib(")):
                continue
            if text not in known:
                known[text] = bool(available.filter(provides=requirement))
            if not known[text]:
                lacking.add(text)
        if lacking:
            print(str(package) + " " + ", ".join(sorted(lacking)))
