package inject

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"unsafe"

	rt "github.com/trapline/trapline/runtime"
	"github.com/trapline/trapline/tools/syscalls"
)

// ErrTooMany reports rules that the target has no room for.
var ErrTooMany = errors.New("too many rules")

// Rules is a list of rules in their order.
type Rules struct {
	List  []*Rule
	Among *syscalls.Set // only these calls; nil: all
	Paths []string      // only calls about one of these files; nil: all
}

// Calls returns the numbers of the calls that the rules name.
func (r *Rules) Calls() []int {
	var list []int
	for nr := range rt.NumCalls {
		if slices.ContainsFunc(r.List, func(one *Rule) bool { return r.names(one, nr) }) {
			list = append(list, nr)
		}
	}
	return list
}

func (r *Rules) names(rule *Rule, nr int) bool {
	return rule.Calls.Has(nr) && (r.Among == nil || r.Among.Has(nr))
}

// Compile writes the rules as the hook reads them.
func (r *Rules) Compile(d *Dictionary) (*Table, error) {
	c := compiler{table: new(Table), code: 1} // 0 stands for no condition
	for nr := range c.table.args {
		c.table.args[nr] = d.Arguments(nr)
	}
	for _, rule := range r.List {
		c.rule(rule, r.Paths)
	}
	for nr := range rt.NumCalls {
		c.call(r, nr)
	}
	return c.table, c.err
}

// Bytes returns the table as the bytes of a tool's options.
func (t *Table) Bytes() []byte { return unsafe.Slice((*byte)(unsafe.Pointer(t)), unsafe.Sizeof(*t)) }

// compiler fills a Table.
type compiler struct {
	table                                   *Table
	uses, rules, pokes, code, text, counter int // how much of each is in use
	err                                     error
}

// room takes n of what there are limit of, of which *used are in use, and returns where they begin.
func (c *compiler) room(used *int, n, limit int) int {
	start := *used
	if start+n > limit {
		c.err = ErrTooMany
		return 0
	}
	*used += n
	return start
}

func (c *compiler) rule(r *Rule, paths []string) {
	at := c.room(&c.rules, 1, maxRules)
	if c.err != nil {
		return
	}
	o := &c.table.rules[at]
	*o = rule{
		signal: int32(r.Signal), instead: int32(r.Instead), result: r.Result,
		first: r.First, last: r.Last, step: r.Step,
		waitIn: int64(r.WaitIn), waitOut: int64(r.WaitOut), seed: r.Seed,
		condition: uint32(c.condition(r, paths)),
	}
	if r.Replaces {
		o.flags |= replaces
	}
	if r.IsValue {
		o.flags |= isValue
	}
	if r.Chance > 0 {
		o.chance = math.MaxUint64
		if r.Chance < 1 {
			o.chance = max(uint64(r.Chance*(1<<64)), 1)
		}
	}
	o.pokeIn, o.pokesIn = c.pokesOf(r.PokeIn)
	o.pokeOut, o.pokesOut = c.pokesOf(r.PokeOut)
}

func (c *compiler) pokesOf(list []Poke) (first, count uint16) {
	at := c.room(&c.pokes, len(list), maxPokes)
	if c.err != nil {
		return 0, 0
	}
	for i, p := range list {
		c.table.pokes[at+i] = poke{uint16(p.Arg), uint16(len(p.Data)), uint32(c.string(string(p.Data)))}
	}
	return uint16(at), uint16(len(list))
}

func (c *compiler) string(s string) int {
	at := c.room(&c.text, len(s), maxText)
	if c.err == nil {
		copy(c.table.text[at:], s)
	}
	return at
}

// condition writes all conditions of a rule and returns where they are, 0 if there are none.
func (c *compiler) condition(r *Rule, paths []string) int {
	var all []instruction
	add := func(code []instruction) {
		if len(all) > 0 {
			end := len(all) + 1 + len(code)
			all = append(all, instruction{op: opAnd, operand: uint64(end)})
		}
		shift := uint64(len(all))
		for _, in := range code {
			if in.op == opAnd || in.op == opOr {
				in.operand += shift
			}
			all = append(all, in)
		}
	}
	if r.Comm != "" {
		add([]instruction{{opMatches, stringComm, r.Comm}})
	}
	if len(paths) > 0 {
		add(concerning(paths))
	}
	if r.Condition != nil {
		code := r.Condition.code
		add(code[:len(code)-1])
	}
	if len(all) == 0 {
		return 0
	}
	return c.write(append(all, instruction{op: opEnd}))
}

// concerning is the condition that a call is about one of these files.
func concerning(paths []string) []instruction {
	var code []instruction
	for i, p := range paths {
		if i > 0 {
			code = append(code, instruction{op: opOr, operand: uint64(2*len(paths) - 1)})
		}
		code = append(code, instruction{opConcerns, stringPath, p})
	}
	return code
}

// write writes code to the table and returns where it begins. A constant takes a second word.
func (c *compiler) write(code []instruction) int {
	places := make([]int, len(code)+1)
	for i, in := range code {
		places[i+1] = places[i] + 1
		if in.op == opConst {
			places[i+1]++
		}
	}
	start := c.room(&c.code, places[len(code)], maxCode)
	for i, in := range code {
		if c.err != nil {
			return 0
		}
		at := start + places[i]
		switch in.op {
		case opConst:
			c.table.code[at], c.table.code[at+1] = in.op, in.operand
		case opAnd, opOr:
			c.table.code[at] = in.op | uint64(start+places[in.operand])<<operandShift
		case opMatches, opIs, opConcerns:
			c.table.code[at] = in.op | in.operand<<operandShift | uint64(len(in.text))<<lengthShift | uint64(c.string(in.text))<<textShift
		default:
			c.table.code[at] = in.op | in.operand<<operandShift
		}
	}
	return start
}

// call lists the rules that name a call.
func (c *compiler) call(r *Rules, nr int) {
	var list []use
	for i, rule := range r.List {
		if !r.names(rule, nr) {
			continue
		}
		u := use{rule: uint16(i)}
		if rule.counts() {
			u.counter = uint16(c.room(&c.counter, 1, maxCounters)) + 1
		}
		list = append(list, u)
	}
	if list == nil {
		return
	}
	at := c.room(&c.uses, len(list)+1, maxUses)
	if c.err != nil {
		c.err = fmt.Errorf("%w, or for too many calls", ErrTooMany)
		return
	}
	copy(c.table.uses[at:], append(list, use{rule: lastUse}))
	c.table.first[nr] = uint16(at + 1)
}

// counts reports whether it matters how many calls a rule has seen.
func (r *Rule) counts() bool { return r.First != 1 || r.Step != 1 || r.Last != 0 || r.Chance != 0 }
