package programs

import (
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// environment is what a script finds: nothing of the caller's but the way to the Go command. RUN is also the mark by
// which leftover processes are found.
func environment(dir string, wrap []string) []string {
	src, _ := filepath.Abs("testdata")
	return []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:" + goBin(),
		"HOME=" + dir + "/home",
		"TMPDIR=" + dir + "/tmp",
		"LC_ALL=C.UTF-8",
		"TERM=dumb",
		"USER=nobody",
		"SHELL=/bin/bash",
		"PWD=" + dir,
		"RUN=" + dir,
		"SRC=" + src,
		"W=" + strings.Join(wrap, " "),
		"PORT=" + strconv.Itoa(freePort()),
	}
}

var goBin = sync.OnceValue(func() string { return filepath.Join(goEnv("GOROOT"), "bin") })

func goEnv(name string) string {
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		panic(err)
	}
	return strings.TrimSpace(string(out))
}

// freePort returns a TCP port of the loopback that nobody listens on.
func freePort() int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
