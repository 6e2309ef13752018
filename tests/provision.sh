#!/bin/sh
# Gets what some tests need besides Python: Node 22 with the packages of package-lock.json, Chromium, the proxies
# of deploy/, and what systemd brings to check its units.
# Tests that miss one of them skip; CI therefore installs what its machine lacks, and stops if it cannot.
set -eu
cd "$(dirname "$0")/.."

lacks() {
    echo "tests/provision.sh: no $1: the tests that need it will be skipped" >&2
    test -z "${CI:-}" || exit 1
}

# On CI, as root, on a Debian machine: install what is missing of the packages named; RUNLEVEL=1 starts no services.
system_packages() {
    test -n "${CI:-}" && test "$(id -u)" = 0 && command -v apt-get >/dev/null || return 0
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -qq --yes --no-install-recommends "$@" >/dev/null
}

command -v npm >/dev/null || system_packages npm
test -x /usr/bin/chromium || system_packages chromium fonts-dejavu-core
command -v systemd-analyze >/dev/null || system_packages systemd
test -x /usr/sbin/nginx || system_packages nginx-light
command -v caddy >/dev/null || system_packages caddy

if ! command -v npm >/dev/null; then
    lacks npm
elif test ! node_modules/.ready -nt package-lock.json; then
    npm ci --ignore-scripts --no-audit --no-fund && touch node_modules/.ready || lacks "npm packages"
fi
test -x /usr/bin/chromium || lacks /usr/bin/chromium
command -v systemd-analyze >/dev/null || lacks systemd-analyze
test -x /usr/sbin/nginx || lacks nginx
command -v caddy >/dev/null || lacks caddy
