// Runs in the target, on any stack: it only reads what it is given.

package patch

const maxPieces = 64

// search is the search for a way through padding.
type search struct {
	piece [maxPieces]piece
	n     int
}

// piece is padding nobody has taken yet: [start, end).
type piece struct {
	start, end int
	reached    bool
	at         int // where the jump to it leads
	from       int // the piece before it, -1: the site
	hops       int // jumps to get there
}

// collect finds the padding that is proven.
func (s *search) collect(t *Text) {
	for at := t.ends.next(0, t.N); at < t.N; at = t.ends.next(at+1, t.N) {
		end := t.padding(at)
		s.split(t, at, end)
		t.noteBegin(at, end)
	}
}

// collectMore finds further int3. Where functions are not known, another one begins where int3 end, or nothing is
// between, at an address that functions are aligned to. If that were data it would be decoded to nonsense; so here
// padding is long enough for a jump and fills up to the next such address.
func (s *search) collectMore(t *Text) {
	clear(t.ends[:])
	for at := 0; at < t.N; at++ {
		if t.ends.has(at) {
			end := t.padding(at)
			if end-at >= JumpLength && t.Code[at] == int3 && t.aligned(end, alignFunction) {
				s.split(t, at, end)
			}
			t.noteBegin(at, end)
		}
		if t.begins.has(at) {
			t.explore(at)
		}
	}
}

// noteBegin notes that a function begins behind the padding [start, end), if it looks so and nothing better is known.
func (t *Text) noteBegin(start, end int) {
	_, known := t.functionAt(start - 1)
	_, inside := t.functionAt(end)
	if !known && !inside && t.aligned(end, alignFunction) && (end == start || t.Code[start] == int3) {
		t.begins.set(end)
	}
}

// split adds what of [start, end) is not taken.
func (s *search) split(t *Text, start, end int) {
	for at := start; at < end; at++ {
		if t.taken.has(at) {
			s.add(start, at)
			start = at + 1
		}
	}
	s.add(start, end)
}

func (s *search) add(start, end int) {
	if end-start >= SiteLength && s.n < maxPieces {
		s.piece[s.n] = piece{start: start, end: end}
		s.n++
	}
}

// find finds the shortest way from the site at an offset to padding that a jump of five bytes fits in; of two, the
// forward one.
func (s *search) find(site int) (Plan, bool) {
	for i := range s.piece[:s.n] {
		s.piece[i].reached = false
	}
	s.reach(site, -1, 0)
	for hops := 1; hops <= MaxHops; hops++ {
		if best := s.goal(site, hops); best >= 0 {
			return s.plan(best, site), true
		}
		for i := range s.piece[:s.n] {
			if p := &s.piece[i]; p.reached && p.hops == hops {
				s.reach(p.at, i, hops)
			}
		}
	}
	return Plan{}, false
}

// goal returns a piece that a number of jumps lead to and that the long jump fits in, -1 if there is none.
func (s *search) goal(site, hops int) int {
	best := -1
	for i := range s.piece[:s.n] {
		p := &s.piece[i]
		if !p.reached || p.hops != hops || !s.fits(i, site) {
			continue
		}
		if best < 0 || p.at > site && s.piece[best].at < site {
			best = i
		}
	}
	return best
}

// reach notes the pieces that a short jump at an offset reaches.
func (s *search) reach(at, from, hops int) {
	low, high := at+SiteLength-shortReach, at+SiteLength+shortReach-1
	for i := range s.piece[:s.n] {
		p := &s.piece[i]
		if p.reached {
			continue
		}
		first, last := max(p.start, low), min(p.end-SiteLength, high)
		if first > last {
			continue
		}
		p.reached, p.from, p.hops = true, from, hops+1
		// Backwards the far end leads further, but the near one has room behind it.
		p.at = first
	}
}

// fits reports whether a piece has room for the long jump where it is reached, or a little before.
func (s *search) fits(i, site int) bool {
	p := &s.piece[i]
	if p.end-p.start < JumpLength {
		return false
	}
	if p.at+JumpLength <= p.end {
		return true
	}
	origin := site
	if p.from >= 0 {
		origin = s.piece[p.from].at
	}
	at := p.end - JumpLength
	if at < origin+SiteLength-shortReach {
		return false
	}
	p.at = at
	return true
}

// plan writes the way to a piece down.
func (s *search) plan(last, site int) Plan {
	p := Plan{Hops: uint8(s.piece[last].hops)}
	for i, n := last, int(p.Hops); n > 0; n-- {
		p.Hop[n-1] = int16(s.piece[i].at - site)
		i = s.piece[i].from
	}
	switch {
	case p.Hops > 1:
		p.Tactic = Chain
	case p.Hop[0] < 0:
		p.Tactic = Backward
	}
	return p
}
