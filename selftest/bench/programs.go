package bench

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// programs are the experiments with programs that end by themselves.
func (s *session) programs() []*experiment {
	return []*experiment{s.dd(), s.execs(), s.sqlite(), s.git(), s.gcc()}
}

// timed is an experiment that takes the time of a program from start to end in every mode. Each run has a fresh folder.
func (s *session) timed(name, about string, argv ...string) *experiment {
	e := &experiment{name: name, about: about + ", ms", compare: times}
	for _, m := range s.modes() {
		run := func() (float64, error) {
			dir, err := os.MkdirTemp(s.memory, name)
			if err != nil {
				return 0, err
			}
			defer os.RemoveAll(dir)
			_, wall, err := s.output(dir, m.prefix, argv...)
			return float64(wall) / float64(time.Millisecond), err
		}
		e.ways = append(e.ways, &way{name: m.name, run: run})
	}
	return e
}

// dd makes two calls a byte and does nothing else.
func (s *session) dd() *experiment {
	count := fmt.Sprintf("count=%d", s.size(50000, 2000))
	return s.timed("dd", "dd bs=1 "+count, "dd", "bs=1", count, "if=/dev/zero", "of=/dev/null", "status=none")
}

// execs makes a shell start programs.
func (s *session) execs() *experiment {
	const loop = `i=0; while [ $i -lt $1 ]; do /bin/true; i=$((i+1)); done`
	n := fmt.Sprint(s.size(1000, 20))
	return s.timed("exec", "sh starts /bin/true "+n+" times", "sh", "-c", loop, "sh", n)
}

// sqlite inserts rows, each in a transaction of its own, into a file in memory.
func (s *session) sqlite() *experiment {
	rows := s.size(2000, 50)
	e := s.timed("sqlite", fmt.Sprintf("sqlite3 inserts %d rows", rows), "sqlite3", "db", ".read "+s.file("insert.sql"))
	e.needs = []string{"sqlite3"}
	e.prepare = func() error {
		text := "CREATE TABLE t (n INTEGER PRIMARY KEY, word TEXT);\n" +
			strings.Repeat("INSERT INTO t (word) VALUES ('a word');\n", rows)
		return os.WriteFile(s.file("insert.sql"), []byte(text), 0o600)
	}
	return e
}

// git looks after a thousand files, several times. They are old: git reads files that are not older than its index.
func (s *session) git() *experiment {
	const loop = `i=0; while [ $i -lt $1 ]; do git -C "$2" status --porcelain; i=$((i+1)); done`
	const repository = `mkdir "$1"; cd "$1"; git init -q
		for d in 1 2 3 4 5 6 7 8 9 10; do mkdir $d; (cd $d; seq 1 "$2" | xargs touch -d 2020-01-01); done
		git add .; git -c user.name=bench -c user.email=bench@localhost commit -qm files`
	n := fmt.Sprint(s.size(10, 1))
	e := s.timed("git", "git status of 1000 files, "+n+" times", "sh", "-c", loop, "sh", n, s.file("repository"))
	e.needs = []string{"git"}
	e.prepare = func() error { return s.shell(s.dir, repository, s.file("repository"), "100") }
	return e
}

// gcc builds the C programs of testdata, one after the other.
func (s *session) gcc() *experiment {
	const loop = `cd "$1"; shift; d=$OLDPWD; for f do gcc -O2 -o "$d/$f" "$f.c" || exit 1; done`
	files := sources[:s.size(len(sources), 1)]
	e := s.timed("gcc", fmt.Sprintf("gcc builds %d programs", len(files)),
		append([]string{"sh", "-c", loop, "sh", s.dir}, files...)...)
	e.needs = []string{"gcc"}
	return e
}
