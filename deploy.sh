#!/usr/bin/env bash
# Deploys Trawl in containers: calls the make target of each word. `make help` lists all targets.
set -euo pipefail
cd "$(dirname "$0")"
usage="usage: ./deploy.sh dev|prod|status|logs|down|test"

case "${1:-}" in
    dev | prod | status | logs | down) exec make "docker-$1" ;;
    test) exec make test ;;
    -h | --help) echo "$usage" ;;
    *) echo "$usage" >&2; exit 2 ;;
esac
