package bench

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A server runs in every mode; its client runs natively and says how many requests it made a second.
type server struct {
	// argv starts the server in the folder dir, listening on a port of loopback, its process ID in the file "pid".
	argv func(dir, port string) ([]string, error)
	// client is the client's command line; what figure matches in its output is the result.
	client func(port string) []string
	figure *regexp.Regexp
}

// servers are the experiments with a server and a client.
func (s *session) servers() []*experiment { return []*experiment{s.redis(), s.nginx()} }

func (s *session) serverExperiment(name, about string, v server, needs ...string) *experiment {
	e := &experiment{name: name, about: about + ", requests/s", compare: share, needs: needs}
	for _, m := range s.modes() {
		run := func() (float64, error) { return s.load(v, m.prefix) }
		e.ways = append(e.ways, &way{name: m.name, run: run})
	}
	return e
}

func (s *session) redis() *experiment {
	requests := strconv.Itoa(s.size(50000, 2000))
	v := server{
		argv: func(dir, port string) ([]string, error) {
			return []string{
				"redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", dir, "--pidfile", filepath.Join(dir, "pid"),
				"--save", "", "--appendonly", "no", "--logfile", "log",
			}, nil
		},
		client: func(port string) []string {
			return []string{"redis-benchmark", "-p", port, "-n", requests, "-c", "20", "-t", "get", "--csv"}
		},
		figure: regexp.MustCompile(`"GET","([0-9.]+)"`),
	}
	return s.serverExperiment("redis", "redis-benchmark -c 20 -t get -n "+requests, v, "redis-server", "redis-benchmark")
}

func (s *session) nginx() *experiment {
	seconds := strconv.Itoa(s.size(2, 1))
	v := server{
		argv: nginxCommand,
		client: func(port string) []string {
			return []string{"wrk", "-t1", "-c16", "-d" + seconds + "s", "http://127.0.0.1:" + port + "/file"}
		},
		figure: regexp.MustCompile(`Requests/sec: *([0-9.]+)`),
	}
	return s.serverExperiment("nginx", "wrk -c16 for "+seconds+" s, a file of 1 KiB", v, "nginx", "wrk")
}

// nginxCommand writes the configuration and the file to serve.
func nginxCommand(dir, port string) ([]string, error) {
	text, err := testdata.ReadFile("testdata/nginx.conf")
	if err != nil {
		return nil, err
	}
	conf := strings.ReplaceAll(string(text), "PORT", port)
	err = errors.Join(
		os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(conf), 0o600),
		os.WriteFile(filepath.Join(dir, "file"), make([]byte, 1024), 0o600),
	)
	return []string{"nginx", "-p", dir, "-e", "error.log", "-c", "nginx.conf"}, err
}

// load starts a server in a mode, lets its client loose on it, and ends it.
func (s *session) load(v server, prefix []string) (rate float64, err error) {
	dir, err := os.MkdirTemp(s.memory, "server")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	port, err := freePort()
	if err != nil {
		return 0, err
	}
	argv, err := v.argv(dir, port)
	if err != nil {
		return 0, err
	}
	p := s.command(dir, prefix, argv...)
	if err := p.Start(); err != nil {
		p.cancel()
		return 0, err
	}
	defer func() { err = errors.Join(err, p.end(filepath.Join(dir, "pid"))) }()
	if err := p.awaitPort(port); err != nil {
		return 0, err
	}
	return s.figure(v, port)
}

// figure runs the client.
func (s *session) figure(v server, port string) (float64, error) {
	out, _, err := s.output(s.dir, nil, v.client(port)...)
	if err != nil {
		return 0, err
	}
	match := v.figure.FindStringSubmatch(out)
	if match == nil {
		return 0, fmt.Errorf("%s printed no figure: %q", v.client(port)[0], out)
	}
	return strconv.ParseFloat(match[1], 64)
}

// freePort finds a port of loopback that nobody uses.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// startLimit is what a server may take to listen, and to end.
const startLimit = 20 * time.Second

var errDeaf = fmt.Errorf("does not listen after %v", startLimit)

// awaitPort waits until the server listens.
func (p *process) awaitPort(port string) error {
	for start := time.Now(); time.Since(start) < startLimit && p.ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
		if c, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
			return c.Close()
		}
	}
	return fmt.Errorf("%s: %w: %s", p.Args[0], errDeaf, p.stderr.Bytes())
}

// end asks the server itself to end: strace would leave it behind. What does not end is killed.
func (p *process) end(pidFile string) error {
	text, err := os.ReadFile(pidFile)
	pid, convErr := strconv.Atoi(strings.TrimSpace(string(text)))
	if err = errors.Join(err, convErr); err == nil && pid > 1 {
		err = syscall.Kill(pid, syscall.SIGTERM)
	}
	if err != nil {
		p.killGroup()
	}
	late := time.AfterFunc(startLimit, func() { p.killGroup() })
	defer late.Stop()
	return errors.Join(err, p.wait())
}
