"""The universe of gen_repo.py with every package of x86_64 made for aarch64, too: `gen_two_arches.py GEN_REPO [arguments]`."""

import os
import sys

sys.path.insert(0, os.path.dirname(sys.argv[1]))
import gen_repo

emit = gen_repo.emit


def other_arch(binary):
    other = gen_repo.Bin()
    for name in gen_repo.Bin.__slots__:
        setattr(other, name, getattr(binary, name))
    other.arch = "aarch64"
    other.deps = {
        kind: [(name.replace("(x86-64)", "(aarch-64)"), flags, evr) for name, flags, evr in deps]
        for kind, deps in binary.deps.items()
    }
    return other


def emit_both(sources, *more):
    for source in sources:
        source.bins += [other_arch(binary) for binary in source.bins if binary.arch == "x86_64"]
    return emit(sources, *more)


gen_repo.emit = emit_both
del sys.argv[1]
gen_repo.main()
