package inject

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Condition is a parsed expression:
//
//	or      = and { "||" and }
//	and     = compare { "&&" compare }
//	compare = bits [ ("==" | "!=" | "<" | "<=" | ">" | ">=") bits ] | text ("==" | "!=" | "~") string
//	bits    = unary { "&" unary }
//	unary   = ("!" | "-") unary | "(" or ")" | number | CONSTANT | "arg1" ... "arg6" | "fd"
//	text    = "path" | "comm"
//
// Numbers have 64 bits and a sign; an argument of which the kernel looks at 32 bits has these. As in Go and not as in C, "&"
// binds tighter than a comparison.
type Condition struct {
	code []instruction
}

// instruction is one word of code, before text has its place.
type instruction struct {
	op      uint64
	operand uint64 // the number of opConst, the argument of opArg, the index that opAnd and opOr go to, the string
	text    string
}

// ParseCondition parses the expression of if=.
func ParseCondition(text string, d *Dictionary) (*Condition, error) {
	p := parser{dictionary: d}
	if err := p.scan(text); err != nil {
		return nil, err
	}
	p.or()
	if p.err == nil && p.at < len(p.tokens) {
		p.fail("%q is unexpected", p.peek())
	}
	if p.err != nil {
		return nil, p.err
	}
	p.emit(opEnd, 0, "")
	return &Condition{p.code}, nil
}

type parser struct {
	dictionary  *Dictionary
	tokens      []string
	at          int
	code        []instruction
	depth, deep int // of the stack at run time; of the parser
	err         error
}

// scan splits the text into tokens. A string keeps its first quote.
func (p *parser) scan(text string) error {
	for i := 0; i < len(text); {
		rest := text[i:]
		n := 1
		switch ch := text[i]; {
		case ch == ' ' || ch == '\t':
			i++
			continue
		case ch == '"':
			s, err := strconv.QuotedPrefix(rest)
			if err != nil {
				return errors.New("a string without end")
			}
			value, err := strconv.Unquote(s)
			if err != nil {
				return errors.New("a string without end")
			}
			p.tokens = append(p.tokens, `"`+value)
			i += len(s)
			continue
		case isWord(ch):
			for n < len(rest) && isWord(rest[n]) {
				n++
			}
		case len(rest) > 1 && strings.Contains(" || && == != <= >= ", " "+rest[:2]+" "):
			n = 2
		case !strings.ContainsRune("!<>&~()-", rune(ch)):
			return fmt.Errorf("%q is unexpected", rest[:1])
		}
		p.tokens = append(p.tokens, rest[:n])
		i += n
	}
	return nil
}

func isWord(ch byte) bool {
	return ch == '_' || '0' <= ch && ch <= '9' || 'a' <= ch && ch <= 'z' || 'A' <= ch && ch <= 'Z'
}

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

// peek returns the next token, "" behind the last one.
func (p *parser) peek() string {
	if p.at < len(p.tokens) && p.err == nil {
		return p.tokens[p.at]
	}
	return ""
}

// take takes the next token if it is one of these.
func (p *parser) take(tokens ...string) string {
	for _, t := range tokens {
		if p.peek() == t {
			p.at++
			return t
		}
	}
	return ""
}

// emit adds an instruction and returns its index.
func (p *parser) emit(op, operand uint64, text string) int {
	switch op {
	case opConst, opArg, opFile, opMatches, opIs, opConcerns:
		if p.depth++; p.depth > maxDepth {
			p.fail("too deep")
		}
	case opEnd, opNot, opNegate, opAnd, opOr:
	default:
		p.depth--
	}
	p.code = append(p.code, instruction{op, operand, text})
	return len(p.code) - 1
}

func (p *parser) or() {
	if p.deep++; p.deep > 100 {
		p.fail("too deep")
		return
	}
	p.joined("||", opOr, p.and)
	p.deep--
}

func (p *parser) and() { p.joined("&&", opAnd, p.compare) }

// joined parses operands of && or ||, which decide as soon as they can.
func (p *parser) joined(token string, op uint64, operand func()) {
	operand()
	var jumps []int
	for p.take(token) != "" {
		jumps = append(jumps, p.emit(op, 0, ""))
		p.depth-- // where it does not jump
		operand()
	}
	for _, j := range jumps {
		p.code[j].operand = uint64(len(p.code))
	}
}

var comparisons = map[string]uint64{
	"==": opEqual, "!=": opNotEqual, "<": opLess, "<=": opLessEqual, ">": opGreater, ">=": opGreaterEqual,
}

func (p *parser) compare() {
	switch word := p.take("path", "comm"); word {
	case "path":
		p.text(stringPath)
		return
	case "comm":
		p.text(stringComm)
		return
	}
	p.bits()
	if token := p.take("==", "!=", "<=", ">=", "<", ">"); token != "" {
		p.bits()
		p.emit(comparisons[token], 0, "")
	}
}

// text parses what is compared with a string.
func (p *parser) text(which uint64) {
	op := p.take("==", "!=", "~")
	s, ok := strings.CutPrefix(p.peek(), `"`)
	if op == "" || !ok {
		p.fail(`path and comm are compared with "strings", by ==, != or ~`)
		return
	}
	p.at++
	switch op {
	case "~":
		if err := checkPattern(s); err != nil {
			p.fail("%w", err)
		}
		p.emit(opMatches, which, s)
	default:
		p.emit(opIs, which, s)
		if op == "!=" {
			p.emit(opNot, 0, "")
		}
	}
}

func (p *parser) bits() {
	p.unary()
	for p.take("&") != "" {
		p.unary()
		p.emit(opBitAnd, 0, "")
	}
}

func (p *parser) unary() {
	if p.deep++; p.deep > 100 {
		p.fail("too deep")
		return
	}
	defer func() { p.deep-- }()
	switch p.take("!", "-", "(") {
	case "!":
		p.not()
	case "-":
		p.unary()
		p.emit(opNegate, 0, "")
	case "(":
		p.or()
		if p.take(")") == "" {
			p.fail("a parenthesis is missing")
		}
	default:
		p.operand()
	}
}

// not parses what an exclamation mark negates, which may be about a string.
func (p *parser) not() {
	if next := p.peek(); next == "path" || next == "comm" {
		p.compare()
	} else {
		p.unary()
	}
	p.emit(opNot, 0, "")
}

func (p *parser) operand() {
	word := p.peek()
	p.at++
	if n, ok := strings.CutPrefix(word, "arg"); ok && len(n) == 1 && n >= "1" && n <= "6" {
		p.emit(opArg, uint64(n[0]-'1'), "")
		return
	}
	if word == "fd" {
		p.emit(opFile, 0, "")
		return
	}
	if v, err := strconv.ParseUint(word, 0, 64); err == nil {
		p.emit(opConst, v, "")
		return
	}
	if v, ok := p.dictionary.Constant(word); ok {
		p.emit(opConst, v, "")
		return
	}
	if word == "" {
		p.fail("something is missing at the end")
	}
	p.fail("%q is neither a number nor the name of a constant, of an argument (arg1 to arg6, fd), path or comm", strings.TrimPrefix(word, `"`))
}

// checkPattern reports a set of a pattern that has no end.
func checkPattern(s string) error {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '[':
			n := setLength(s[i:])
			if n == 0 {
				return errors.New("a set without end in a pattern")
			}
			i += n - 1
		}
	}
	return nil
}

// setLength returns the length of the set that s begins with, 0 if it has no end.
func setLength(s string) int {
	i := 1
	if i < len(s) && (s[i] == '!' || s[i] == '^') {
		i++
	}
	for first := true; i < len(s) && (first || s[i] != ']'); first = false {
		i++
		if i+1 < len(s) && s[i] == '-' && s[i+1] != ']' {
			i += 2
		}
	}
	if i >= len(s) {
		return 0
	}
	return i + 1
}
