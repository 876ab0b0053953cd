package main

import (
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// maxUnsent is how many bytes of answers are kept for those who read slowly. A page of 300 large clients has 7 MB, compressed.
const maxUnsent = 64 << 20

// pieceOfAnswer is how many bytes of an answer are in one piece, so that none is copied while it grows.
const pieceOfAnswer = 32 << 10

// An answer is in memory until all of it is made.
type answer struct {
	http.ResponseWriter
	status int
	body   net.Buffers
	size   int
}

func (a *answer) WriteHeader(status int) { a.status = status }

func (a *answer) Write(b []byte) (int, error) {
	for left := b; len(left) > 0; {
		last := len(a.body) - 1
		if last < 0 || len(a.body[last]) == cap(a.body[last]) {
			a.body = append(a.body, make([]byte, 0, pieceOfAnswer))
			last++
		}
		n := min(len(left), cap(a.body[last])-len(a.body[last]))
		a.body[last] = append(a.body[last], left[:n]...)
		left = left[n:]
	}
	a.size += len(b)
	return len(b), nil
}

// fromMemory sends an answer when all of it is made. So a reader that reads slowly or not at all costs nobody a place, and holds
// none of what the answer was made of.
func (s *server) fromMemory(page http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a := &answer{ResponseWriter: w, status: http.StatusOK}
		page.ServeHTTP(a, r)
		s.unsent.begin(a)
		defer s.unsent.end(a)
		w.WriteHeader(a.status)
		if _, err := a.body.WriteTo(w); err != nil && r.Context().Err() == nil {
			s.noise.Error("the answer is not complete", "err", err.Error())
		}
	}
}

// unsent are the answers that are being sent. When they take too much memory, the oldest is given up: its reader is the slowest.
type unsent struct {
	most int // bytes

	mu   sync.Mutex
	size int
	all  []*answer
}

func (u *unsent) begin(a *answer) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.all = append(u.all, a)
	u.size += a.size
	for u.size > u.most && len(u.all) > 1 {
		oldest := u.all[0]
		_ = http.NewResponseController(oldest.ResponseWriter).SetWriteDeadline(time.Now()) // fails only where there is no connection
		u.remove(oldest)
	}
}

func (u *unsent) end(a *answer) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.remove(a)
}

func (u *unsent) remove(a *answer) {
	if i := slices.Index(u.all, a); i >= 0 {
		u.all = slices.Delete(u.all, i, i+1)
		u.size -= a.size
	}
}
