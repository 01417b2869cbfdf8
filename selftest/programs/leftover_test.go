package programs

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A process is one line of /proc.
type process struct {
	pid  int
	text string // name, state and command line, for messages
}

// leftoverGrace is how long a daemon that was told to end may take: its parent does not wait for it.
const leftoverGrace = 5 * time.Second

// leftover returns the processes that a finished run has left, after a moment of grace, and kills them.
func leftover(session int, dir string) (left []string) {
	deadline := time.Now().Add(leftoverGrace)
	for {
		ps := processes(session, dir)
		if len(ps) == 0 {
			return nil
		}
		if time.Now().Before(deadline) {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		for _, p := range ps {
			left = append(left, p.text)
			syscall.Kill(p.pid, syscall.SIGKILL)
		}
		return left
	}
}

// processes finds what belongs to a run: by its session, and, because daemons leave that, by RUN in the environment and
// by the working directory (programs that set a process title overwrite their environment).
func processes(session int, dir string) []process {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	var ps []process
	for _, stat := range stats {
		proc := filepath.Dir(stat)
		b, err := os.ReadFile(stat)
		if err != nil {
			continue // ended meanwhile
		}
		comm, state, sid, ok := parseStat(string(b))
		if !ok || sid != session && !inEnvironment(proc, "RUN="+dir) && !worksIn(proc, dir) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(proc))
		if err != nil || pid == os.Getpid() {
			continue
		}
		cmdline, _ := os.ReadFile(proc + "/cmdline")
		text := fmt.Sprintf("%s %s %s", comm, state, bytes.ReplaceAll(bytes.TrimRight(cmdline, "\x00"), []byte{0}, []byte{' '}))
		ps = append(ps, process{pid, text})
	}
	return ps
}

// parseStat picks the name, the state and the session out of a line of /proc/PID/stat (proc(5)). The name may hold
// anything, so it ends at the last parenthesis. It reports false for an orphan whose last thread has ended: that init has
// not waited for it yet is init's affair.
func parseStat(line string) (comm, state string, session int, ok bool) {
	open, end := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
	if open < 0 || end < open {
		return "", "", 0, false
	}
	fields := strings.Fields(line[end+1:]) // state ppid pgrp session ... num_threads
	const numThreads = 17
	if len(fields) <= numThreads || fields[0] == "Z" && fields[1] == "1" && fields[numThreads] == "1" {
		return "", "", 0, false
	}
	session, err := strconv.Atoi(fields[3])
	return line[open : end+1], fields[0], session, err == nil
}

func inEnvironment(proc, entry string) bool {
	b, _ := os.ReadFile(proc + "/environ")
	for e := range bytes.SplitSeq(b, []byte{0}) {
		if string(e) == entry {
			return true
		}
	}
	return false
}

func worksIn(proc, dir string) bool {
	cwd, _ := os.Readlink(proc + "/cwd")
	return cwd == dir || strings.HasPrefix(cwd, dir+"/")
}
