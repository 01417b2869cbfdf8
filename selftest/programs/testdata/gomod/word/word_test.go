package word

import (
	"fmt"
	"testing"
)

func TestSplit(t *testing.T) {
	for i := range 20 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			if got := len(Split("A b  C")); got != 3 {
				t.Fatal(got)
			}
		})
	}
}
