package launcher

import (
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/patch"
	rt "github.com/trapline/trapline/runtime"
)

// someSites returns n sites of a file.
func someSites(key uint64, n int) []siteRecord {
	var records []siteRecord
	for i := range n {
		records = append(records, siteRecord{key, rt.CachedSite{
			Sum: key * uint64(i+1), Offset: uint32(i * 100), Hot: uint32(i & 1),
			Plan: patch.Plan{Tactic: patch.Chain, Hops: 2, Hop: [patch.MaxHops]int16{-20, 90}, Low: -20, High: 95},
		}})
	}
	return records
}

func TestSitesAreKept(t *testing.T) {
	t.Parallel()
	want := someSites(7, 5)
	if diff := cmp.Diff(want, decodeSites(encodeSites(want))); diff != "" {
		t.Error(diff)
	}
}

func TestDamagedSitesCountAsNone(t *testing.T) {
	t.Parallel()
	whole := encodeSites(someSites(7, 2))
	for at := range whole {
		damaged := slices.Clone(whole)
		damaged[at] ^= 0x10
		if got := decodeSites(damaged); got != nil {
			t.Errorf("byte %d changed: %v", at, got)
		}
		if got := decodeSites(whole[:at]); got != nil {
			t.Errorf("cut at %d: %v", at, got)
		}
	}
}

func FuzzDecodeSites(f *testing.F) {
	f.Add(encodeSites(someSites(7, 3)))
	f.Add([]byte(cacheMagic))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		records := decodeSites(raw)
		if records == nil {
			return
		}
		if diff := cmp.Diff(records, decodeSites(encodeSites(records))); diff != "" {
			t.Error(diff)
		}
	})
}

// Every one of many writers at one time adds its own.
func TestSitesOfManyWriters(t *testing.T) {
	t.Parallel()
	const writers, each = 8, 20
	dir := filepath.Join(t.TempDir(), "new", "cache")
	var want []siteRecord
	var wg sync.WaitGroup
	for w := range writers {
		records := someSites(uint64(w+1)<<32, each)
		want = append(want, records...)
		wg.Go(func() {
			c, err := openSiteCache(dir)
			if err != nil {
				t.Error(err)
				return
			}
			known := new(rt.SiteCache)
			for _, r := range records {
				known.Add(known.File(r.Key, true), r.Site)
				if err := c.save(known); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	c, err := openSiteCache(dir)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.read()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(mergeSites(want, nil), got); diff != "" {
		t.Error(diff)
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 2 {
		t.Errorf("left in the folder: %v", left)
	}
}

// What was loaded comes back, and a file that becomes hot stays so.
func TestSitesLoaded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c, err := openSiteCache(dir)
	if err != nil {
		t.Fatal(err)
	}
	records := someSites(99, 10)
	if err := c.replace(encodeSites(records)); err != nil {
		t.Fatal(err)
	}
	known := new(rt.SiteCache)
	if err := c.load(known); err != nil {
		t.Fatal(err)
	}
	f := known.File(99, false)
	for s := known.At(f.Last); s != nil; s = known.At(s.Next) {
		s.Hot = 1
	}
	if err := c.save(known); err != nil {
		t.Fatal(err)
	}
	for i := range records {
		records[i].Site.Hot = 1
	}
	got, err := c.read()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(records, got); diff != "" {
		t.Error(diff)
	}
}
