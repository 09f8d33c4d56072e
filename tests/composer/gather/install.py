"""Solves requests with libsolv.

Reads JSON: a list of {"repo": directory, "requests": [[nevra, ...], ...]}. Prints JSON: for each of them the list of
problems of each request, empty when it can be installed from that repository alone.
"""

import json
import os
import sys

import solv


def open_pool(repository):
    pool = solv.Pool()
    # The arch is read by the rules of the distribution type, so that comes first.
    pool.setdisttype(solv.Pool.DISTTYPE_RPM)
    pool.setarch("x86_64")
    pool.set_flag(solv.Pool.POOL_FLAG_OBSOLETEUSESCOLORS, 1)
    pool.set_flag(solv.Pool.POOL_FLAG_IMPLICITOBSOLETEUSESCOLORS, 1)
    repo = pool.add_repo("repository")
    folder = os.path.join(repository, "repodata")
    repo.add_rpmmd(solv.xfopen(os.path.join(folder, "primary.xml.gz")), None)
    filelists = os.path.join(folder, "filelists.xml.gz")
    repo.add_rpmmd(solv.xfopen(filelists), "FL", solv.Repo.REPO_EXTEND_SOLVABLES)
    pool.addfileprovides()
    pool.createwhatprovides()
    return pool, {str(one): one for one in repo.solvables_iter()}


def problems_of(pool, members, request):
    missing = [name for name in request if name not in members]
    if missing:
        return ["missing " + name for name in missing]
    job = solv.Job.SOLVER_INSTALL | solv.Job.SOLVER_SOLVABLE
    solver = pool.Solver()
    return [str(one) for one in solver.solve([pool.Job(job, members[name].id) for name in request])]


def main():
    answers = []
    for task in json.load(sys.stdin):
        pool, members = open_pool(task["repo"])
        answers.append([problems_of(pool, members, request) for request in task["requests"]])
    json.dump(answers, sys.stdout)


main()
