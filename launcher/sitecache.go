package launcher

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	rt "github.com/trapline/trapline/runtime"
)

// The cache of sites on disk is one file in a directory of the user's:
//
//	16 bytes  cacheMagic
//	 4 bytes  CRC-32 of the rest
//	records   siteRecord, little-endian
//
// It is written to a temporary file first and then renamed, under a lock, together with what others have written
// meanwhile. What is damaged counts as empty. No entry is taken on trust: the runtime compares the bytes of the code with
// the sum before it follows a plan.
const (
	cacheMagic = "trapline sites 1"
	cacheName  = "sites"
	lockName   = "lock"
	// cacheLimit bounds the file; what was added last goes first.
	cacheLimit = len(rt.SiteCache{}.Sites)
)

// siteRecord is one site as the file has it.
type siteRecord struct {
	Key  uint64
	Site rt.CachedSite
}

// siteCache is a directory with a cache of sites.
type siteCache struct{ dir string }

// openSiteCache makes the directory if it is not there.
func openSiteCache(dir string) (*siteCache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cache of sites: %w", err)
	}
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return nil, fmt.Errorf("cache of sites: %s: %w", dir, err)
	}
	return &siteCache{dir}, nil
}

// load puts the sites of the file where the runtime finds them.
func (c *siteCache) load(to *rt.SiteCache) error {
	records, err := c.read()
	if err != nil {
		return err
	}
	for _, r := range records {
		if f := to.File(r.Key, true); f != nil {
			to.Add(f, r.Site)
		}
	}
	return nil
}

// read returns the sites of the file.
func (c *siteCache) read() ([]siteRecord, error) {
	raw, err := os.ReadFile(filepath.Join(c.dir, cacheName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cache of sites: %w", err)
	}
	return decodeSites(raw), nil
}

// decodeSites returns what a file has, nothing if it is damaged.
func decodeSites(raw []byte) []siteRecord {
	const header = len(cacheMagic) + 4
	if len(raw) < header || string(raw[:len(cacheMagic)]) != cacheMagic {
		return nil
	}
	body := raw[header:]
	size := binary.Size(siteRecord{})
	if binary.LittleEndian.Uint32(raw[len(cacheMagic):]) != crc32.ChecksumIEEE(body) || len(body)%size != 0 {
		return nil
	}
	records := make([]siteRecord, len(body)/size)
	if err := binary.Read(bytes.NewReader(body), binary.LittleEndian, records); err != nil {
		return nil
	}
	return slices.DeleteFunc(records, func(r siteRecord) bool { return r.Key == 0 })
}

func encodeSites(records []siteRecord) []byte {
	var body bytes.Buffer
	binary.Write(&body, binary.LittleEndian, records) // a buffer takes everything
	raw := binary.LittleEndian.AppendUint32([]byte(cacheMagic), crc32.ChecksumIEEE(body.Bytes()))
	return append(raw, body.Bytes()...)
}

// save adds the sites that the runtime knows to those of the file.
func (c *siteCache) save(from *rt.SiteCache) error {
	lock, err := os.OpenFile(filepath.Join(c.dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("cache of sites: %w", err)
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("cache of sites: lock: %w", err)
	}
	old, err := c.read()
	if err != nil {
		return err
	}
	records := mergeSites(old, knownSites(from))
	if slices.Equal(records, old) {
		return nil
	}
	return c.replace(encodeSites(records))
}

// replace writes the file anew; who reads it finds the old or the new one.
func (c *siteCache) replace(raw []byte) error {
	f, err := os.CreateTemp(c.dir, cacheName)
	if err != nil {
		return fmt.Errorf("cache of sites: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(raw)
	err = cmp.Or(err, f.Close())
	err = cmp.Or(err, os.Rename(f.Name(), filepath.Join(c.dir, cacheName)))
	if err != nil {
		return fmt.Errorf("cache of sites: %w", err)
	}
	return nil
}

// knownSites lists what the runtime knows.
func knownSites(c *rt.SiteCache) (records []siteRecord) {
	for i := range c.Files {
		f := &c.Files[i]
		for s := c.At(f.Last); s != nil && len(records) < cacheLimit; s = c.At(s.Next) {
			r := siteRecord{f.Key, *s}
			r.Site.Next = 0
			records = append(records, r)
		}
	}
	return records
}

// mergeSites returns all of both, in an order of its own.
func mergeSites(a, b []siteRecord) []siteRecord {
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(x, y siteRecord) int {
		return cmp.Or(cmp.Compare(x.Key, y.Key), cmp.Compare(x.Site.Offset, y.Site.Offset), cmp.Compare(x.Site.Sum, y.Site.Sum),
			cmp.Compare(y.Site.Hot, x.Site.Hot)) // of two the hot one stays
	})
	all = slices.CompactFunc(all, func(x, y siteRecord) bool {
		return x.Key == y.Key && x.Site.Offset == y.Site.Offset && x.Site.Sum == y.Site.Sum
	})
	return all[:min(len(all), cacheLimit)]
}

// loadSites tells the runtime what earlier runs have found out, if cfg asks for that. The function it returns keeps what this
// run has.
func (m *memory) loadSites(cfg *Config) (keep func(), err error) {
	if cfg.Cache == "" {
		return func() {}, nil
	}
	c, err := openSiteCache(cfg.Cache)
	if err != nil {
		return nil, err
	}
	if err := c.load(&m.shared.Cache); err != nil {
		return nil, err
	}
	return func() {
		if err := c.save(&m.shared.Cache); err != nil {
			cfg.warn(fmt.Sprintf("trapline: %v\n", err))
		}
	}, nil
}
