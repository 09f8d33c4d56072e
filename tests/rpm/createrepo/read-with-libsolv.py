"""Reads a repository with libsolv; prints the names of its RPMs and who owns a file of filelists, as JSON."""
import glob
import json
import os
import sys

import solv

repodata = os.path.join(sys.argv[1], "repodata")
pool = solv.Pool()
pool.setdisttype(solv.Pool.DISTTYPE_RPM)
pool.setarch("x86_64")
repo = pool.add_repo("ours")


def load(kind, flags):
    (path,) = glob.glob(os.path.join(repodata, "*-%s.xml.*" % kind))
    assert repo.add_rpmmd(solv.xfopen(path), None, flags), pool.errstr


load("primary", 0)
load("filelists", solv.Repo.REPO_EXTEND_SOLVABLES)
load("other", solv.Repo.REPO_EXTEND_SOLVABLES)
pool.addfileprovides()
pool.createwhatprovides()
files = sorted(os.path.basename(s.lookup_location()[0]) for s in repo.solvables_iter())
selection = pool.select("/usr/share/doc/ed/NEWS", solv.Selection.SELECTION_FILELIST)
print(json.dumps({"files": files, "owners": [s.name for s in selection.solvables()]}))
