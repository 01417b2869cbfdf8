#!/bin/sh
# install.sh [LIST]: installs the Debian packages of a list, by default those of the programs suite (packages.txt). Does
# nothing, quickly, when all are there; says which are missing when it cannot install them.
set -eu
list=${1:-$(dirname "$0")/packages.txt}

missing=
while read -r package path; do
	case $package in '' | '#'*) continue ;; esac
	[ -n "$path" ] && [ -e "$path" ] && continue
	case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || :) in
	installed) ;;
	*) missing="$missing $package" ;;
	esac
done <"$list"
[ -n "$missing" ] || exit 0

root=
if [ "$(id -u)" != 0 ]; then
	root="sudo -n"
	sudo -n true 2>/dev/null || root=none
fi
if [ "$root" = none ] || ! command -v apt-get >/dev/null; then
	echo "install.sh: missing Debian packages:$missing (needs root or sudo, and apt-get)" >&2
	exit 1
fi

apt="$root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300"
# Services that a package starts on installation would hold ports and CPUs that the cases want: policy-rc.d says no.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	printf '#!/bin/sh\nexit 101\n' | $root tee "$policy" >/dev/null
	$root chmod 755 "$policy"
	trap '$root rm -f "$policy"' EXIT
fi
# The package lists may be absent or old: fetch them only when the first try does not find what it needs.
# shellcheck disable=SC2086 # lists of words
$apt install -y --no-install-recommends $missing || {
	$apt update
	$apt install -y --no-install-recommends $missing
}
