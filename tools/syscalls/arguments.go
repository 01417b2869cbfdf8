// Plain constant data for both sides.

package syscalls

// Arguments says what is known of a call's arguments. Bit i stands for argument i.
type Arguments struct {
	Paths  uint8 // addresses of file names
	Files  uint8 // descriptors
	Dirs   uint8 // of those: where the file name behind it begins
	Narrow uint8 // the kernel looks at 32 bits
	Signed uint8 // of those: with a sign
	Socket uint8 // the address of a socket; its length is the next argument
	Count  uint8 // how many there are
}
