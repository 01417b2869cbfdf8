package main

import (
	"fmt"
	"os/user"
	"strconv"
	"syscall"
)

// credential returns the rights of a user: its group and all others it belongs to.
func credential(name string) (*syscall.Credential, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("option -u: %w", err)
	}
	groups, err := u.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("option -u: %w", err)
	}
	c := &syscall.Credential{Uid: number(u.Uid), Gid: number(u.Gid)}
	for _, g := range groups {
		c.Groups = append(c.Groups, number(g))
	}
	return c, nil
}

func number(s string) uint32 {
	n, _ := strconv.ParseUint(s, 10, 32) // package user has parsed it
	return uint32(n)
}
