//go:build bench

package bench

import (
	"net"
	"regexp"
	"testing"
)

// blackHole returns the DSN with the address of a listener that accepts connections and says nothing.
func blackHole(t *testing.T, dsn string) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	check(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		var held []net.Conn
		for {
			conn, err := listener.Accept()
			if err != nil {
				for _, conn := range held {
					_ = conn.Close()
				}
				return
			}
			held = append(held, conn)
		}
	}()
	return regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(dsn, listener.Addr().String())
}
