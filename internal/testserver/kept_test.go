package testserver_test

import (
	"os"
	"testing"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestKept shows that a server's data can outlive it, with the user and an option, and that its processor time and memory are told.
func TestKept(t *testing.T) {
	for name, kind := range map[string]struct {
		start        func(testing.TB, string, ...string) *testserver.Server
		option, show string
	}{
		"MariaDB":    {testserver.MariaDBIn, "--max-connections=77", "SELECT @@max_connections"},
		"PostgreSQL": {testserver.PostgresIn, "max_connections=77", "SHOW max_connections"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home, err := os.MkdirTemp("", "kept-") // into which the server's user may go, unlike below t.TempDir
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.RemoveAll(home) })
			if err := os.Chmod(home, 0o755); err != nil {
				t.Fatal(err)
			}
			t.Run("filled", func(t *testing.T) {
				server := kind.start(t, home)
				server.NewDatabase(t, "krewe")
				testserver.Execute(t, server.Admin(t, "krewe"), "INSERT INTO order_header (order_id) VALUES ('M100')")
			})
			server := kind.start(t, home, kind.option)
			var orders, connections string
			admin := server.Admin(t, "krewe")
			if err := admin.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM order_header").Scan(&orders); err != nil || orders != "1" {
				t.Errorf("%s orders, error %v; want 1", orders, err)
			}
			if err := admin.QueryRowContext(t.Context(), kind.show).Scan(&connections); err != nil || connections != "77" {
				t.Errorf("%s connections, error %v; want 77", connections, err)
			}
			if n := server.Connections(t); n != 0 {
				t.Errorf("the user has %d connections", n)
			}
			if used := server.CPU(t); used <= 0 {
				t.Errorf("processor time %s", used)
			}
			if resident, peak := server.Memory(t); resident < 1<<20 || peak < resident {
				t.Errorf("memory %d, and %d at most", resident, peak)
			}
		})
	}
}
