# A server with two workers, loaded by wrk; files by sendfile, a proxy to itself, a reload under load, the end.
set -eu
mkdir www; seq 1 20000 >www/big; echo small >www/small
sed "s|PORT|$PORT|; s|RUN|$RUN|; s|^USER|$([ "$(id -u)" = 0 ] && echo 'user root;')|" "$SRC/nginx.conf" >nginx.conf
nginx -p "$RUN" -e error.log -c nginx.conf -t 2>&1 | sed 's/^nginx: //'
nginx -p "$RUN" -e error.log -c nginx.conf & server=$!
until [ -S backend ] && [ -s pid ]; do sleep 0.05; done
get() { exec 3<>"/dev/tcp/127.0.0.1/$PORT"; printf 'GET %s HTTP/1.0\r\n%b\r\n' "$1" "${2-}" >&3; sed '1,/^\r$/d' <&3; exec 3<&-; }
until (get /small) 2>/dev/null | grep -q small; do sleep 0.05; done
get /small; get /big | sha256sum; get /proxy/a/b; get /gz/big 'Accept-Encoding: gzip\r\n' | gunzip | sha256sum; get /nothing | grep -c 404
load() { # seconds path
	wrk -t2 -c16 -d"$1s" "http://127.0.0.1:$PORT$2" >"wrk.out"
	awk '/requests in/ {print ($1 > 50 ? "served" : "served only " $1)} /Non-2xx|Socket errors/ {print}' wrk.out
}
load "$1" /small; load "$1" /big; load "$1" /proxy/x
wrk -t1 -c4 -d1s "http://127.0.0.1:$PORT/small" >reload.out & load=$!
sleep 0.3; kill -HUP $server; sleep 0.2; get /small; wait $load; grep -c 'Non-2xx' reload.out || :
kill -USR1 $server; ps -o comm= --ppid $server | sort | uniq -c | sed 's/^ *//'
kill -QUIT $server; wait $server || echo "status $?"; [ ! -e pid ] && echo "pid gone"; grep -E -c '\[(alert|emerg|crit)\]' error.log || :
