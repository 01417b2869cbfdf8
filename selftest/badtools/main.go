package main

import (
	"fmt"
	"os"

	"github.com/trapline/trapline/launcher"
)

// main runs os.Args[2:] under the tool named os.Args[1].
func main() {
	for i := range tools {
		if tools[i].Name != os.Args[1] {
			continue
		}
		st, err := launcher.Run(&launcher.Config{Path: os.Args[2], Args: os.Args[2:], Tool: &tools[i]})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if st.Signal != 0 {
			os.Exit(128 + int(st.Signal))
		}
		os.Exit(st.Code)
	}
	os.Exit(2)
}
