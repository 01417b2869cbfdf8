package inject

// CheckPattern and Matches are those of the target.
var CheckPattern = checkPattern

func Matches(pattern, s string) bool { return matches([]byte(pattern), []byte(s)) }

// CheckTable walks through a table as the hook does, and fails on anything out of bounds.
func CheckTable(r *Rules, d *Dictionary) {
	tab, _ := r.Compile(d)
	for nr := range tab.first {
		if tab.first[nr] == 0 {
			continue
		}
		for u := tab.usesOf(nr); u.rule != lastUse; u = next(u) {
			tab.check(&tab.rules[u.rule])
		}
	}
}

func (tab *Table) check(r *rule) {
	for at := r.condition; at != 0; at++ {
		word := tab.code[at]
		switch word & 0xff {
		case opEnd:
			return
		case opConst:
			at++
		case opAnd, opOr:
			if to := uint32(word >> operandShift); to <= at || to >= maxCode {
				panic("a jump that does not lead forward")
			}
		case opMatches, opIs, opConcerns:
			pattern := tab.text[word>>textShift:][:word>>lengthShift&0xffff]
			matches(pattern, []byte("/some/path-[x]"))
		}
	}
}
