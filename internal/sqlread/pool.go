package sqlread

import (
	"runtime"
	"sync"
	"weak"
)

// A pool has what many clients share, as long as one of them uses it.
type pool[K comparable, V any] struct{ inUse sync.Map } // weak.Pointer[V] by K

// get returns what is in use under the key, or else what newValue returns.
func (p *pool[K, V]) get(key K, newValue func() *V) *V {
	for {
		known, _ := p.inUse.Load(key)
		if known != nil {
			if v := known.(weak.Pointer[V]).Value(); v != nil { //nolint:forcetypeassert // nothing else is in there
				return v
			}
			p.inUse.CompareAndDelete(key, known)
		}
		v := newValue()
		use := weak.Make(v)
		if _, taken := p.inUse.LoadOrStore(key, use); !taken {
			runtime.AddCleanup(v, func(key K) { p.inUse.CompareAndDelete(key, use) }, key)
			return v
		}
	}
}
