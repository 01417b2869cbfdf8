package programs

import "time"

// programs is the table. Scripts of more than a few lines are in testdata ($SRC); a script ends in status 0, and prints
// the statuses it is about.
var programs = []program{
	// Shells.
	{name: "dash", packages: []string{"dash"}, argv: []string{"dash", "-c", `. "$SRC/posix.sh"`}},
	{name: "bash-posix", packages: []string{"bash", "procps"}, script: `. "$SRC/posix.sh"`},
	{name: "bash", packages: []string{"bash"}, script: `. "$SRC/bash.sh"`},
	{
		name: "busybox", packages: []string{"busybox-static"},
		setup: `mkdir bb; busybox --install -s bb`,
		argv:  []string{"/bin/busybox", "env", "PATH=bb:/bin", "sh", "-c", `PATH=$RUN/bb; . "$SRC/posix.sh"`},
	},
	{name: "execs", packages: []string{"dash", "procps"}, argv: []string{"dash", "-c", `. "$SRC/execs.sh"`}},
	{name: "daemons", packages: []string{"util-linux", "procps", "perl"}, script: `. "$SRC/daemons.sh"`},
	{name: "status", self: true, untraced: true, script: statusScript},

	// Files.
	{name: "coreutils", packages: []string{"coreutils"}, script: `. "$SRC/coreutils.sh"`},
	{name: "archives", packages: []string{"tar", "gzip", "zstd", "findutils"}, script: `. "$SRC/archives.sh"`},
	{name: "git", packages: []string{"git"}, script: `. "$SRC/git.sh"`},
	{name: "sqlite", packages: []string{"sqlite3"}, script: `. "$SRC/sqlite.sh"`},

	// Compilers.
	{name: "gcc", packages: []string{"gcc", "libc6-dev", "binutils"}, script: `. "$SRC/compile.sh"`},
	{name: "make", packages: []string{"make", "gcc", "libc6-dev", "binutils"}, script: `. "$SRC/make.sh"`},
	{name: "go", setup: goFiles + goBuild, script: goBuild},
	{name: "go-cold", setup: goFiles, script: goBuild + `; go test -count=1 -v ./word | grep -c -e "--- PASS"`, soak: true, limit: 10 * time.Minute},

	// Languages.
	{name: "python-subprocess", packages: []string{"python3"}, argv: python("py_subprocess")},
	{name: "python-threads", packages: []string{"python3"}, argv: python("py_threads")},
	{name: "python-multiprocessing", packages: []string{"python3"}, argv: python("py_multiprocessing")},
	{name: "python-asyncio", packages: []string{"python3"}, argv: python("py_asyncio")},
	{name: "python-signals", packages: []string{"python3"}, argv: python("py_signals")},
	{name: "perl", packages: []string{"perl"}, script: `exec perl "$SRC/everyday.pl"`},
	{name: "node", packages: []string{"nodejs"}, script: `exec /usr/bin/node "$SRC/node.js"`},
	{
		name: "java-threads", packages: []string{"default-jdk-headless"},
		setup:  `javac -d . "$SRC/Threads.java"`,
		script: `java -Xmx256m Threads; echo $?`,
	},
	{
		name: "java-garbage", packages: []string{"default-jdk-headless"},
		setup:  `javac -d . "$SRC/Garbage.java"`,
		script: `for gc in Serial G1; do java -Xmx48m -XX:+Use${gc}GC Garbage 2000; done`,
	},
	{
		name: "java-garbage-long", packages: []string{"default-jdk-headless"}, soak: true, limit: 10 * time.Minute,
		setup:  `javac -d . "$SRC/Garbage.java"`,
		script: `for gc in Serial Parallel G1 Z Shenandoah; do java -Xmx64m -XX:+Use${gc}GC Garbage 20000; done`,
	},
	{
		name:   "goroutines",
		setup:  `CGO_ENABLED=0 go build -o goroutines "$SRC/goroutines/main.go"`,
		script: `./goroutines; echo $?`,
	},
	{
		name: "goroutines-long", soak: true, limit: 5 * time.Minute,
		setup:  `CGO_ENABLED=0 go build -o goroutines "$SRC/goroutines/main.go"`,
		script: `for i in $(seq 20); do GOMAXPROCS=$((i % 5 + 1)) ./goroutines; echo $?; done`,
	},

	// Other libraries, other machines.
	{
		name: "musl", packages: []string{"musl-tools"},
		setup: `musl-gcc -static -O2 -o musl "$SRC/musl.c"`,
		argv:  []string{"./musl"},
	},
	{
		name: "arch32", packages: []string{"gcc-multilib"}, notice: "32-bit",
		setup: `gcc -m32 -O2 -pthread -o arch32 "$SRC/arch32.c"`,
		argv:  []string{"./arch32"},
	},
	{
		name: "arch32-child", packages: []string{"gcc-multilib"}, notice: "32-bit",
		setup:  `gcc -m32 -O2 -pthread -o arch32 "$SRC/arch32.c"`,
		script: `echo before; ./arch32 one two; echo $?; (echo after)`,
	},
	{
		name: "small-stacks", packages: []string{"gcc", "libc6-dev"},
		setup:  `gcc -O2 -pthread -o smallstack "$SRC/smallstack.c"`,
		script: `for i in 1 2 3 4 5; do ./smallstack; done`,
	},

	// Servers and terminals.
	{name: "redis", packages: []string{"redis-server", "redis-tools"}, script: `. "$SRC/redis.sh" 2000`},
	{name: "redis-long", packages: []string{"redis-server", "redis-tools"}, script: `. "$SRC/redis.sh" 30000`, soak: true, limit: 10 * time.Minute},
	{name: "nginx", packages: []string{"nginx-light", "wrk"}, script: `. "$SRC/nginx.sh" 1`},
	{name: "nginx-long", packages: []string{"nginx-light", "wrk"}, script: `. "$SRC/nginx.sh" 15`, soak: true, limit: 5 * time.Minute},
	{name: "openssl", packages: []string{"openssl"}, script: `. "$SRC/openssl.sh"`},
	{name: "tmux", packages: []string{"tmux"}, script: `. "$SRC/tmux.sh"`},
	{name: "terminal", packages: []string{"bsdutils", "python3"}, script: `. "$SRC/terminal.sh" ""`},
	{name: "terminal-job", packages: []string{"bsdutils", "python3"}, script: `. "$SRC/terminal.sh" "$W"`, self: true},

	{name: "screen", packages: []string{"screen", "expect"}, script: `. "$SRC/screen.sh"`},
	{name: "ssh", root: true, packages: []string{"openssh-server", "openssh-client", "util-linux", "perl"}, script: `unshare -m bash -c '. "$SRC/ssh-unshared.sh" ""'`},
	{
		name: "ssh-server", root: true, packages: []string{"openssh-server", "openssh-client", "util-linux", "perl"}, self: true,
		script: `unshare -m bash -c '. "$SRC/ssh-unshared.sh" "$W"'`,
	},

	// Large programs.
	{
		name: "postgres", root: true, packages: []string{"postgresql-15", "util-linux", "procps"}, soak: true, limit: 10 * time.Minute,
		setup:  `chown -R postgres .`,
		script: asPostgres + `bash -c '. "$SRC/postgres.sh" 500'`,
	},
	{
		name: "postgres-outside", root: true, packages: []string{"postgresql-15", "util-linux", "procps"}, soak: true, limit: 10 * time.Minute, self: true,
		setup:  `chown -R postgres .`,
		script: asPostgres + `$W bash -c '. "$SRC/postgres.sh" 100'`,
	},
	{
		name: "chromium", root: true, packages: []string{"chromium", "util-linux", "procps"}, soak: true, limit: 5 * time.Minute,
		setup:  `chown -R nobody .`,
		script: asNobody + `bash -c '. "$SRC/chromium.sh"'`,
	},
	{
		name: "chromium-outside", root: true, packages: []string{"chromium", "util-linux", "procps"}, soak: true, limit: 5 * time.Minute, self: true,
		setup:  `chown -R nobody .`,
		script: asNobody + `$W bash -c '. "$SRC/chromium.sh"'`,
	},
	{name: "mariadb", root: true, packages: []string{"mariadb-server"}, soak: true, limit: 5 * time.Minute, script: `. "$SRC/mariadb.sh"`},
	{name: "redis-crash", packages: []string{"redis-server", "redis-tools"}, soak: true, script: `. "$SRC/redis-crash.sh"`},
	{name: "php", packages: []string{"php-cli", "php-fpm", "python3"}, soak: true, script: `. "$SRC/php.sh"`},
	{name: "ruby", packages: []string{"ruby"}, soak: true, script: `ruby -W0 "$SRC/everyday.rb"; echo $?`},
	{
		name: "erlang", packages: []string{"erlang-base"}, soak: true,
		setup:  `erlc "$SRC/everyday.erl"`,
		script: `erl -noshell -s everyday main; echo $?`,
	},
	{name: "node-cluster", packages: []string{"nodejs"}, soak: true, script: `/usr/bin/node "$SRC/cluster.js" "$PORT"; echo $?`},
	{
		name: "java-stress", packages: []string{"default-jdk-headless"}, soak: true, limit: 10 * time.Minute,
		setup: `javac -d . "$SRC/Stress.java"`,
		script: `for gc in Serial Parallel G1 Z Shenandoah; do
			java -Xmx192m -XX:+Use${gc}GC Stress 2 2>&1 | grep -a -E '^[a-z]+ [a-zA-Z0-9 ]+$|^done|^Full thread dump|^#'; echo "${PIPESTATUS[0]}"; done
			java -Xmx192m -Xcheck:jni -Xint Stress 1 2>&1 | grep -a -c -E '^#|^FATAL'`,
	},
	{name: "containers", root: true, packages: []string{"bubblewrap", "runc", "util-linux", "busybox-static", "python3"}, soak: true, script: `. "$SRC/containers.sh"`},
	{name: "cron", root: true, packages: []string{"cron", "util-linux"}, soak: true, script: `. "$SRC/cron.sh"`},
	{
		name: "qemu-user", packages: []string{"qemu-user-static", "gcc", "libc6-dev"}, soak: true,
		setup:  `gcc -static -O1 -pthread -o threads "$SRC/threads64.c"`,
		script: `qemu-x86_64-static ./threads; echo $?`,
	},

	// Debuggers.
	{
		name: "attach", packages: []string{"gdb", "strace", "gcc"}, self: true, untraced: true,
		setup:  `gcc -O1 -g -o attach "$SRC/attach.c"`,
		script: `. "$SRC/attach.sh"`,
	},
	{
		name: "attach-inside", packages: []string{"gdb", "strace", "gcc"}, untraced: true,
		setup:  `gcc -O1 -g -o attach "$SRC/attach.c"`,
		script: `W=; . "$SRC/attach.sh"`,
	},
	{
		name: "debuggers", packages: []string{"gdb", "strace", "ltrace", "gcc", "libc6-dev"}, untraced: true, limit: 5 * time.Minute,
		setup:  `gcc -O0 -g -pthread -o debugged "$SRC/debugged.c"`,
		script: `. "$SRC/debuggers.sh"`,
	},

	// Surroundings.
	{
		name: "user", root: true, packages: []string{"util-linux"}, self: true,
		setup:  `chmod -R a+rwX .`,
		script: `setpriv --reuid 1000 --regid 1000 --clear-groups --inh-caps=-all $W bash -c '` + userScript + `'`,
	},
	{
		name: "user-inside", root: true, packages: []string{"util-linux"},
		setup:  `chmod -R a+rwX .`,
		script: `setpriv --reuid 1000 --regid 1000 --clear-groups --inh-caps=-all bash -c '` + userScript + `'`,
	},
	{
		name: "chroot", root: true, packages: []string{"busybox-static"},
		setup:  chrootSetup,
		script: `chroot root /bin/busybox env -i SRC=/ RUN=/ PATH=/bin /bin/sh /posix.sh; echo $?; chroot root /bin/true; chroot root /bin/nothing 2>/dev/null; echo $?`,
	},
	{
		name: "chroot-outside", root: true, packages: []string{"busybox-static"}, self: true,
		setup:  chrootSetup,
		script: `$W chroot root /bin/sh -c 'ls /proc 2>&1; echo $0 | cat; busybox sh -c "exit 5"; echo $?; exec /bin/ls /'; echo $?`,
	},
	{
		name: "namespaces", root: true, packages: []string{"util-linux", "procps"},
		script: `unshare -p -f -m --mount-proc bash -c 'echo $$; sleep 9 & until [ "$(cat /proc/$!/comm)" = sleep ]; do :; done
			ps -e -o comm=; kill $!; wait; bash -c "exit 3"; echo $?; (exec sh -c "echo \$PPID")'
			unshare -n -u -i sh -c 'hostname inside; hostname; (echo pipe | cat); exit 4'; echo $?
			unshare -U -r sh -c 'id -u; sh -c "exit 2"; echo $?'; unshare -p -f sh -c 'echo $$; true; exec sh -c "echo again \$\$"'`,
	},
	{
		name: "closed", packages: []string{"gcc", "libc6-dev"},
		setup:  `gcc -O2 -o closed "$SRC/closed.c"`,
		script: closedScript,
	},
	{
		name: "closed-outside", packages: []string{"gcc", "libc6-dev"}, self: true,
		setup:  `gcc -O2 -o closed "$SRC/closed.c"`,
		script: `$W ./closed o1 <&-; $W ./closed o2 >&-; $W ./closed o3 2>&-; $W ./closed o4 <&- >&- 2>&-; $W sh -c './closed o5 x' <&- >&- 2>&-; cat o?`,
	},
	{name: "few-descriptors", packages: []string{"python3", "dash"}, script: `ulimit -n 64; . "$SRC/descriptors.sh"; bash "$SRC/bash.sh" | tail -n 3; dash "$SRC/posix.sh"`},
	// The soft limit: below a hard one that may not be raised, trapline's own two descriptors take the last numbers.
	{name: "few-descriptors-outside", packages: []string{"python3"}, self: true, script: `ulimit -Sn 64; $W bash -c '. "$SRC/descriptors.sh"; dash "$SRC/posix.sh" | tail -n 3'`},
}

func python(name string) []string {
	return []string{"bash", "-c", `exec /usr/bin/python3 -B "$SRC/` + name + `.py"`}
}

// Servers and browsers that refuse to be root's.
const (
	asPostgres = `setpriv --reuid postgres --regid postgres --clear-groups --inh-caps=-all `
	asNobody   = `setpriv --reuid nobody --regid nogroup --clear-groups --inh-caps=-all `
)

const (
	// The build cache is the case's own; setup fills it, or leaves it empty.
	goFiles = `cp -r "$SRC/gomod" .; `
	goBuild = `export GOFLAGS=-mod=mod GOPROXY=off GOTOOLCHAIN=local CGO_ENABLED=0 GOTELEMETRY=off GOCACHE=$RUN/cache; cd "$RUN/gomod"
		go build -trimpath -o ../words . && ../words <<<"A b a" && sha256sum ../words; go list ./...; go build ./nothing 2>&1 | cut -c1-20
		go vet ./... && echo clean; cp vet.go.txt vet.go; go vet ./... 2>&1 | sed "s/^\.\///"; rm vet.go; gofmt -l .`
)

const statusScript = `
for c in 'exit 7' 'kill -TERM $$' 'kill -SEGV $$' 'kill -KILL $$' 'exec sh -c "exit 9"' 'sleep 0.3 & exit 4'; do { $W sh -c "$c"; } 2>/dev/null; echo $?; done
$W /nonexistent 2>/dev/null; echo $?; $W no-such-command 2>/dev/null; echo $?; $W /etc/passwd 2>/dev/null; echo $?
timeout 0.5 $W sleep 30; echo $?
echo text | $W cat | $W tr a-z A-Z; $W sh -c 'echo out; echo err >&2' 2>&1 | sort; $W env -i A=1 /usr/bin/env; $W sh -c 'echo $0 $#' a b c
$W yes | head -n 1; echo "${PIPESTATUS[0]}"`

const userScript = `
id -u; id -G; echo text >f; chmod 600 f; cat f | tr a-z A-Z; touch /etc/nothing 2>/dev/null; echo $?
git init -q r && git -C r status --short --branch; bash -c "exit 3"; echo $?; (echo sub; sh -c "kill \$\$") ; echo $?
/usr/bin/python3 -I -c "import subprocess, threading; print(subprocess.run([\"id\", \"-u\"], capture_output=True).stdout); t = threading.Thread(target=print, args=(1,)); t.start(); t.join()"
seq 100 | xargs -P4 -n10 echo | wc -l; cat /etc/shadow 2>/dev/null; echo $?; chroot / true 2>/dev/null; echo $?
for i in 1 2 3 4 5; do dash -c "exit $i" & done; wait; setsid -w sh -c "exit 6"; echo $?; kill -0 1 2>/dev/null; echo $?`

const chrootSetup = `
mkdir -p root/bin root/dev root/tmp; cp /bin/busybox root/bin/; chroot root /bin/busybox --install -s /bin
cp "$SRC/posix.sh" root/; mkdir root/etc root/usr; echo root >root/etc/passwd; mknod -m 666 root/dev/null c 1 3`

const closedScript = `
./closed o1 <&-; ./closed o2 >&-; ./closed o3 2>&-; ./closed o4 <&- >&- 2>&-
(exec <&- >&- 2>&-; ./closed o5; /bin/true && ./closed o6 x; (./closed o7 x x)); cat o?
(exec <&- >&- 2>&-; exec ./closed o8); cat o8; perl -e 'close STDIN; close STDOUT; close STDERR; system "./closed", "o9"; exec "./closed", "oa", "b"'; cat o9 oa
bash -c 'exec >&-; echo lost' 2>/dev/null; echo $?; cat <&- 2>/dev/null; echo $?; ls /proc/self/fd <&- | wc -l`
