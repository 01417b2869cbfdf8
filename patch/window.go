// Runs in the target, on any stack: it reads memory through what it is given.

package patch

// How far code is looked at, in bytes.
const (
	beforeSite  = 160  // where no function is known: branches from there could lead into padding
	behindSite  = 320  // what a short jump reaches, and the padding there
	aroundSite  = 640  // for chains of jumps
	maxFunction = 4096 // from a function's start to the site
)

// Around chooses the window for a site of the code [start, end): N bytes at Base, which the caller then copies to Code.
// Of the functions it takes the site's own one; with wide set, and a larger window, its neighbours too.
func (t *Text) Around(site, start, end uintptr, u *Unwind, read Reader, wide bool) {
	i := u.Search(site, read)
	own, found := u.Function(i, read)
	found = found && site < own.End
	before, behind := uintptr(beforeSite), uintptr(behindSite)
	if wide {
		before, behind = aroundSite, aroundSite
	}
	if found && site-own.Start <= maxFunction {
		before = max(before, site-own.Start)
		if !wide {
			before = site - own.Start
		}
	}
	low, high := site-min(before, site-start), site+min(behind, end-site)
	t.Reset(low, int(high-low))
	switch {
	case wide:
		t.addNeighbours(u, i, low, high, read)
	case found:
		t.AddFunction(own)
	}
}

// addNeighbours adds the functions that begin in [low, high), and the one before them.
func (t *Text) addNeighbours(u *Unwind, own int, low, high uintptr, read Reader) {
	first := own
	for first > 0 && own-first < MaxFunctions/2 {
		if start, ok := u.start(first, read); !ok || start < low {
			break
		}
		first--
	}
	for i := max(first, 0); i < u.Count; i++ {
		start, ok := u.start(i, read)
		if !ok || start >= high {
			return
		}
		if f, ok := u.Function(i, read); ok && !t.AddFunction(f) {
			return
		}
	}
}
