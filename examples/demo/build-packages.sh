#!/usr/bin/env bash
# Builds the RPMs of the demo from specs/ into base/ and update/. They are committed; this says where they come from.
set -euo pipefail
cd "$(dirname "$0")"
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
build() { # spec, release, change, target directory
  rm -rf "${top:?}"/*
  rpmbuild -ba --quiet --nodeps --target x86_64 "specs/$1.spec" \
    --define "_topdir $top" --define "debug_package %{nil}" --define "_build_id_links none" \
    --define "_binary_payload w9.gzdio" --define "_source_payload w9.gzdio" \
    --define "_buildhost build.example.com" --define "use_source_date_epoch_as_buildtime 1" \
    --define "source_date_epoch_from_changelog 1" --define "clamp_mtime_to_source_date_epoch 1" \
    --define "demo_release $2" --define "demo_change $3"
  mkdir -p "$4"
  find "$top/RPMS" "$top/SRPMS" -name '*.rpm' -exec cp {} "$4/" \;
}
rm -rf base update
for name in bash curl ed nginx; do build "$name" 1 First base; done
build openssl 1 First base
build openssl 2 'Fix CVE-2026-0001' update
