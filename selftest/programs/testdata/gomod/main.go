package main

import (
	"bufio"
	"fmt"
	"os"

	"example.org/gomod/word"
)

func main() {
	s := bufio.NewScanner(os.Stdin)
	n := make(map[string]int)
	for s.Scan() {
		for _, w := range word.Split(s.Text()) {
			n[w]++
		}
	}
	fmt.Println(len(n), n["a"])
}
