package syscalls

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// errEmpty is the error of a list with an empty member.
var errEmpty = errors.New("empty system call name")

// classes are the %classes by the name behind the percent sign.
var classes = map[string]class{
	"file": file, "desc": desc, "process": process, "network": network, "net": network,
	"signal": signal, "ipc": ipc, "memory": memory, "creds": creds, "clock": clock,
	"stat": stat, "lstat": lstat, "fstat": fstat, "%stat": stat | lstat | fstat | statLike,
	"statfs": statfs, "fstatfs": fstatfs, "%statfs": statfs | fstatfs | statfsLike,
	"pure": pure,
}

// bareClasses are the classes that strace accepts without a percent sign too.
var bareClasses = map[string]bool{
	"file": true, "desc": true, "process": true, "network": true,
	"signal": true, "ipc": true, "memory": true,
}

// ParseSet reads a set of calls in the grammar of strace -e trace=: a comma list of
// names, numbers, %classes and /regular expressions, each after an optional ? that
// forgives a name nobody knows; all and none; an ! in front of it all negates.
func ParseSet(expr string) (Set, error) {
	list, negated := expr, false
	for strings.HasPrefix(list, "!") {
		list, negated = list[1:], !negated
	}
	set, err := parseList(list)
	if err != nil {
		return Set{}, err
	}
	if negated {
		set = complement(set)
	}
	return set, nil
}

// Numbers returns the members that have a name, in rising order.
func (s *Set) Numbers() []int {
	var numbers []int
	for _, nr := range All() {
		if s.Has(nr) {
			numbers = append(numbers, nr)
		}
	}
	return numbers
}

func parseList(list string) (Set, error) {
	switch list {
	case "none":
		return Set{}, nil
	case "all":
		return complement(Set{}), nil
	}
	var set Set
	for token := range strings.SplitSeq(list, ",") {
		forgive := strings.HasPrefix(token, "?")
		found, err := addToken(&set, strings.TrimPrefix(token, "?"))
		if err != nil {
			return Set{}, err
		}
		if !found && !forgive {
			return Set{}, fmt.Errorf("unknown system call %q", token)
		}
	}
	return set, nil
}

// addToken adds what one member of the list stands for, and reports whether that
// was anything at all.
func addToken(set *Set, token string) (found bool, err error) {
	if token == "" {
		return false, errEmpty
	}
	if expr, ok := strings.CutPrefix(token, "/"); ok {
		re, err := regexp.CompilePOSIX(expr)
		if err != nil {
			return false, fmt.Errorf("parse system call pattern: %w", err)
		}
		return set.addWhere(func(e *entry) bool { return re.MatchString(e.name) }), nil
	}
	name, isClass := strings.CutPrefix(token, "%")
	if c, known := classes[name]; known && (isClass || bareClasses[name]) {
		return set.addWhere(func(e *entry) bool { return e.class&c != 0 }), nil
	}
	if isClass {
		return false, nil
	}
	name = strings.TrimSuffix(token, "@64")
	nr, ok := Number(name)
	if !ok {
		nr, err = strconv.Atoi(name)
		ok = err == nil && lookup(nr) != nil
	}
	if ok {
		set.Add(nr)
	}
	return ok, nil
}

// addWhere adds every call whose entry satisfies match, and reports whether one did.
func (s *Set) addWhere(match func(*entry) bool) (found bool) {
	for nr := range table {
		if table[nr].name != "" && match(&table[nr]) {
			s.Add(nr)
			found = true
		}
	}
	return found
}

// complement returns the named calls that are not in set.
func complement(set Set) Set {
	var rest Set
	rest.addWhere(func(e *entry) bool {
		nr, _ := Number(e.name)
		return !set.Has(nr)
	})
	return rest
}
