package trace

import (
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// socketNote is a socketInfo as the hook lays it out.
func socketNote(domain, kind, protocol, device uint32, address, peer string) []byte {
	b := make([]byte, infoSize)
	for i, v := range []uint32{domain, kind, protocol, uint32(len(address)), uint32(len(peer)), device} {
		binary.LittleEndian.PutUint32(b[4*i:], v)
	}
	copy(b[infoAddress:], address)
	copy(b[infoPeerAddr:], peer)
	return b
}

// TestDescribe checks what -yy shows behind a descriptor.
func TestDescribe(t *testing.T) {
	t.Parallel()
	const here = "\x02\x00\x1f\x90\x7f\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00"
	const none = "\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	for _, c := range []struct {
		path string
		info []byte
		want string
	}{
		{"/dev/null", socketNote(0, 0, 0, 1<<31|1<<8|3, "", ""), "/dev/null<char 1:3>"},
		{"/dev/sda", socketNote(0, 0, 0, 8<<8, "", ""), "/dev/sda<block 8:0>"},
		{"socket:[5]", socketNote(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_TCP, 0, none, ""), "TCP:[5]"},
		{"socket:[5]", socketNote(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_TCP, 0, here, ""), "TCP:[127.0.0.1:8080]"},
		{"socket:[5]", socketNote(unix.AF_INET, unix.SOCK_DGRAM, unix.IPPROTO_UDP, 0, here, here), "UDP:[127.0.0.1:8080->127.0.0.1:8080]"},
		{"socket:[5]", socketNote(unix.AF_UNIX, unix.SOCK_STREAM, 0, 0, "\x01\x00/run/s\x00", ""), `UNIX-STREAM:[5,"/run/s"]`},
		{"socket:[5]", socketNote(unix.AF_NETLINK, unix.SOCK_RAW, 0, 0, "\x10\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x00", ""), "NETLINK:[ROUTE:7]"},
		{"socket:[5]", socketNote(unix.AF_VSOCK, unix.SOCK_STREAM, 0, 0, "", ""), "socket:[5]"},
	} {
		if diff := cmp.Diff(c.want, describe(c.path, c.info)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// TestDescriptorPaths checks that an argument shows what a number stood for before the call, the result what it stands for
// after.
func TestDescriptorPaths(t *testing.T) {
	t.Parallel()
	link := func(fd uint64, path string) mem { return raw(noteBit|linkBit|fd, path) }
	c, ok := parseEnter(enterData(unix.SYS_DUP2, [6]uint64{3, 2}, link(3, "/a"), link(2, "/b<")), DefaultMaxString)
	if !ok || !c.end(exitData(2, link(2, "/a"))) {
		t.Fatal("the records are not understood")
	}
	c.opts = &Options{Paths: 1}
	c.all()
	result, _, _ := c.outcome(c.result, 0)
	if diff := cmp.Diff(`3</a>, 2</b\74> = 2</a>`, string(c.text)+" "+result); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for path, want := range map[string]bool{"/a": true, "/c": false} {
		if got := c.dealsWith([]string{path}); got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
}
