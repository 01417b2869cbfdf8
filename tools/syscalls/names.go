package syscalls

// digits are those of Name's hexadecimal numbers.
const digits = "0123456789abcdef"

// Name returns the name of call nr, "syscall_0x270f" for a number without one.
func Name(nr int) string {
	if e := lookup(nr); e != nil {
		return e.name
	}
	var hex [8]byte
	i := len(hex)
	for v := uint32(nr); ; v >>= 4 {
		i--
		hex[i] = digits[v&15]
		if v < 16 {
			break
		}
	}
	return "syscall_0x" + string(hex[i:])
}

// Number returns the number of the call with that name.
func Number(name string) (int, bool) {
	for nr := range table {
		if table[nr].name == name && name != "" {
			return nr, true
		}
	}
	return 0, false
}

// NumArgs returns how many arguments call nr takes, 6 where that is unknown.
func NumArgs(nr int) int {
	if e := lookup(nr); e != nil {
		return int(e.args)
	}
	return 6
}

// All returns every number that has a name, in rising order.
func All() []int {
	var all []int
	for nr := range table {
		if table[nr].name != "" {
			all = append(all, nr)
		}
	}
	return all
}

// lookup returns the table's entry for nr, nil if there is none.
func lookup(nr int) *entry {
	if nr < 0 || nr >= len(table) || table[nr].name == "" {
		return nil
	}
	return &table[nr]
}
