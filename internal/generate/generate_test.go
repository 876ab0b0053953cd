package main

import (
	"os"
	"testing"
)

func TestUpToDate(t *testing.T) {
	written, err := generate("../..")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range written {
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("%s is out of date: make generate", path)
		}
	}
}
