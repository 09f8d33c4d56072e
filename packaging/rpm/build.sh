#!/usr/bin/env bash
# Builds the RPM from this checkout, with what `npm ci` installed in it: packaging/rpm/build.sh DIRECTORY
set -euo pipefail
destination=$(realpath -m "${1:?where to put the RPM}")
cd "$(dirname "$0")/../.."
PATH="$PWD/node_modules/.bin:$PATH"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/SOURCES" "$destination"

npm pack --silent --pack-destination "$work/SOURCES" >"$work/name"
version=$(sed 's/^odcs-reactor-\(.*\)\.tgz$/\1/' "$work/name")
node packaging/rpm/list-modules.ts paths >"$work/paths"
node packaging/rpm/list-modules.ts provides >"$work/SOURCES/bundled-provides.inc"
tar --create --use-compress-program 'gzip -1' --file "$work/SOURCES/odcs-reactor-$version-node-modules.tar.gz" \
  --owner 0 --group 0 --files-from "$work/paths"
cp packaging/systemd/* "$work/SOURCES"

rpmbuild -bb --quiet \
  --define "_topdir $work" \
  --define "_rpmdir $destination" \
  --define '_binary_payload w3.zstdio' \
  --define '__os_install_post %{nil}' \
  packaging/rpm/odcs-reactor.spec
