"""libsolv over the same universe: `xml` reads primary.xml.gz and writes a .solv file, `solv` reads that; then SAT."""

import json
import os
import resource
import sys
import time

import solv

mode, directory = sys.argv[1:3]
saved = os.path.join(directory, "universe.solv")
with open(os.path.join(directory, "request.json")) as file:
    request = json.load(file)

pool = solv.Pool()
pool.setdisttype(solv.Pool.DISTTYPE_RPM)
pool.setarch("x86_64")
pool.set_flag(solv.Pool.POOL_FLAG_OBSOLETEUSESCOLORS, 1)
pool.set_flag(solv.Pool.POOL_FLAG_IMPLICITOBSOLETEUSESCOLORS, 1)
begin = time.perf_counter()
begin_cpu = time.process_time()
repo = pool.add_repo("universe")
if mode == "xml":
    repo.add_rpmmd(solv.xfopen(os.path.join(directory, "repo/repodata/primary.xml.gz")), None)
else:
    repo.add_solv(solv.xfopen(saved))
pool.addfileprovides()
pool.createwhatprovides()
loaded = time.perf_counter()
jobs = []
for name in request:
    jobs += pool.select(name, solv.Selection.SELECTION_NAME).jobs(solv.Job.SOLVER_INSTALL)
solver = pool.Solver()
problems = solver.solve(jobs)
count = 0 if problems else len(solver.transaction().newsolvables())
end = time.perf_counter()
cpu = time.process_time() - begin_cpu
if mode == "xml":
    with open(saved, "wb") as file:
        handle = solv.xfopen_fd(saved, file.fileno())
        repo.write(handle)
        handle.close()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": end - begin, "sat": end - loaded, "cpu": cpu, "packages": count, "peakMb": peak}))
