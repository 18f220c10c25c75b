#!/usr/bin/env bash
# Draws the dashboards over a running system, and notes of which files the pictures are. It is not among the checks.
#
#   docs/pictures/draw.sh TOOL PROMETHEUS [FROM]
#   docs/pictures/draw.sh ~/dashboard-pictures http://127.0.0.1:9090 now-15m
#
# TOOL is a folder with draw.mjs, a program that draws a dashboard's JSON with Grafana's published components (@grafana/ui and
# @grafana/data 13.2.3) in a Chromium. It is no part of this repository: some of it is written after Grafana's own source, which has
# another licence (AGPL). tool.patch, beside this script, is what it lacks: heat maps, and tables below the first screen. It needs
# Node 22, `npm ci` in TOOL, Chromium, and pngquant.
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
tool=$(cd "$1" && pwd) prometheus=$2 from=${3:-now-15m}
cd "$(dirname "${BASH_SOURCE[0]}")"

grep -q HeatmapPanel "$tool/src/panels.jsx" || patch --directory "$tool" --strip 0 <tool.patch

dashboards=(overview business messaging slo service runtime meta)
for name in "${dashboards[@]}"; do
  node "$tool/draw.mjs" --dashboard "../../grafana/dashboards/$name.json" --prometheus "$prometheus" --from "$from" \
    --width 1366 --out "$name.png"
  pngquant --force --strip --output "$name.png" 64 "$name.png"
  (cd ../.. && sha256sum "grafana/dashboards/$name.json") >"$name.sha256"
done
du --bytes ./*.png
