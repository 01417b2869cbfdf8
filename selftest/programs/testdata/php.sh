# The interpreter with children and signals; its process manager with workers that die, a reload that executes itself, the end.
set -eu
php -r '
$p = proc_open("cat; exit 3", [["pipe", "r"], ["pipe", "w"]], $io); fwrite($io[0], "text\n"); fclose($io[0]); echo stream_get_contents($io[1]), proc_close($p), "\n";
echo shell_exec("echo shell"); if (($pid = pcntl_fork()) == 0) exit(4); pcntl_waitpid($pid, $status); echo pcntl_wexitstatus($status), "\n";
pcntl_async_signals(true); pcntl_signal(SIGALRM, function () { echo "alarm\n"; }); pcntl_alarm(1); echo usleep(5000000), "end\n";'
cat >fpm.conf <<C
[global]
pid = $RUN/fpm.pid
error_log = $RUN/fpm.log
[www]
listen = $RUN/fpm.sock
$([ "$(id -u)" != 0 ] || printf 'user = root\ngroup = root\n')
pm = static
pm.max_children = 3
C
cat >page.php <<'C'
<?php
for ($s = $i = 0; $i < 100000; $i++) $s += $i;
echo "$s ", PHP_SAPI;
if (isset($_GET["kill"])) posix_kill(getmypid(), 9);
C
php-fpm8.2 -R -F -y fpm.conf 2>/dev/null & server=$!
ask() { /usr/bin/python3 -I "$SRC/fastcgi.py" "$RUN/page.php" "$@" | sort | uniq -c; }
ready() { until [ "$(grep -s -c "ready to handle" fpm.log)" = "$1" ]; do sleep 0.05; done; }
ready 1; ask '' 30; ask kill=1 2; ask '' 10; kill -USR2 $server; ready 2; ask '' 10
kill -QUIT $server; wait $server; echo "status $?"; grep -c 'exited on signal 9' fpm.log; grep -c bye-bye fpm.log; grep -c 'signal 11' fpm.log || :
