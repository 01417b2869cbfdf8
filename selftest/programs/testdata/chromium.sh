# A browser with all of its sandbox: a picture of a page, what its scripts wrote, its processes, their ends.
set -eu
cp "$SRC/page.html" .
browser=(/usr/lib/chromium/chromium --headless --no-first-run --disable-gpu --window-size=400,300 --user-data-dir="$RUN/profile")
"${browser[@]}" --screenshot="$RUN/shot.png" "file://$RUN/page.html" 2>log; sha256sum <shot.png
"${browser[@]}" --remote-debugging-port=0 "file://$RUN/page.html" 2>>log & pid=$!
until [ -s profile/DevToolsActivePort ]; do sleep 0.1; done
port=$(head -n 1 profile/DevToolsActivePort)
get() { exec 3<>"/dev/tcp/127.0.0.1/$port"; printf '%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$1" "$2" >&3; timeout 1 cat <&3 || :; exec 3<&-; }
shown() { local title; until title=$(get GET /json/list | grep '"title": "pixels'); do sleep 0.1; done; echo "$title"; }
shown
# The processes of a kind: under a filter of their own or not, in a user namespace and a root directory of its own or not.
kind() {
	local p
	for p in $(pgrep -f -- "--type=$1.*$RUN/profile"); do
		p=/proc/$p
		echo "$1: $([ "$(filters $p)" -gt "$(filters /proc/self)" ] && echo filter || echo no filter), $(same "$p/ns/user" /proc/self/ns/user) namespace, $(same "$p/root/" /) root"
	done | sort -u
}
filters() { sed -n 's/^Seccomp_filters:\s*//p' "$1/status"; }
same() { if [ "$1" -ef "$2" ]; then echo same; else echo own; fi; }
for t in zygote renderer utility gpu-process; do kind "$t" || :; done
kill -KILL "$(pgrep -f -- "--type=renderer.*$RUN/profile" | head -n 1)"; sleep 0.5
get PUT "/json/new?file://$RUN/page.html" >new; shown
kill -TERM $pid; wait $pid || echo "status $?"
grep -v -i -e dbus -e DevTools -e 'bytes written' log | sed 's/^\[[0-9:.\/]*://; s/[0-9]\{4,\}/N/g' || :
