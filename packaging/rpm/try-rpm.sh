#!/usr/bin/env bash
# Builds the RPM, installs it into an empty root, runs the program there and has systemd look at its unit. For root.
set -euo pipefail
cd "$(dirname "$0")/../.."
PATH="$PWD/node_modules/.bin:$PATH"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

packaging/rpm/build.sh "$work/rpm"
# Without what it depends on and without scripts: there is nothing else in that root.
rpm --root "$work/root" --install --nodeps --noscripts "$work"/rpm/noarch/odcs-reactor-*.noarch.rpm 2>/dev/null
node "$work/root/usr/lib/node_modules/odcs-reactor/bin/odcs-reactor.mjs" --version
man -l "$work/root/usr/share/man/man1/odcs-reactor-serve.1" | grep take-over >/dev/null

# The units that ours names come from this machine.
cp -rn /usr/lib/systemd/system/. "$work/root/usr/lib/systemd/system/"
systemd-analyze verify --man=no --root="$work/root" odcs-reactor@api.service
systemd-sysusers --dry-run --root="$work/root" odcs-reactor.conf
