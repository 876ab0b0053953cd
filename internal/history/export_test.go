package history

// Holds says whether the row is held, counted ones included.
func (f *Follower) Holds(id string) bool {
	return f.history != nil && held(f.history, map[string]bool{id: true})(id)
}

// LookThrough has rows looked through whenever so many were read.
func (h *History) LookThrough(n int) *History {
	h.mostUnseen = n
	return h
}
