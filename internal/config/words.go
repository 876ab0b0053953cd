package config

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// plain reports whether text is short and cannot be a connection string with a password in it: those need one of
// : @ = ( there.
func plain(text string) bool {
	return text != "" && utf8.RuneCountInString(text) <= 64 && !strings.ContainsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.Is(unicode.N, r) && !strings.ContainsRune("_ .,/<>*+-", r)
	})
}

// shown names a value in a message as before "value" after, without the value where that could be a misplaced secret.
func shown(before, value, after string) string {
	if plain(value) {
		before += ` "` + value + `"`
	}
	return before + after
}

// join returns the path of a key.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func inside(path string) string {
	if path == "" {
		return ""
	}
	return " in " + path
}

// nearest returns the known key that an unknown one may be a slip of, or nothing.
func nearest(key string, known []string) string {
	best, least := "", 3 // two slips at most, and never as many as there are letters
	for _, k := range known {
		if d := distance(key, k); d < least && d < len(key) {
			best, least = k, d
		}
	}
	return best
}

// distance counts the letters to insert, remove or replace to make b of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
